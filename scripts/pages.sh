#!/bin/sh
# Writes docs/cli.md, docs/exit-codes.md and the manual page from the program's own tables.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
build/release/micronets help --markdown >docs/cli.md
build/release/micronets help --exit-codes >docs/exit-codes.md
build/release/micronets help --man >docs/micronets.1

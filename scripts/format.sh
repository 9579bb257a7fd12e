#!/bin/sh
# Formats every C file in place.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
find src include cli tests -name '*.[ch]' -exec clang-format -i {} +

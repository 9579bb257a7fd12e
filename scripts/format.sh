#!/bin/sh
# Formats every C file in place, but for the public headers: they are laid out by hand.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
find src cli tests -name '*.[ch]' -exec clang-format -i {} +

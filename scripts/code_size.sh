#!/bin/sh
# Measures the code-size table that prices use and writes src/target/code_size_table.c.
# Needs a build (cmake --build --preset release) and arm-none-eabi-gcc.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${1:-build/release}/tests/code_size" "$work" >"$work/table.c"
mv "$work/table.c" src/target/code_size_table.c
echo "src/target/code_size_table.c is written; build again"

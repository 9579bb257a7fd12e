#!/bin/sh
# Measures the cycle table that prices use and writes src/target/cycle_table.c: layers of every kernel
# on every emulated core, a few minutes. Needs a build (cmake --build --preset release),
# arm-none-eabi-gcc and qemu-system-arm.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nice -n 15 "${1:-build/release}/tests/cycle_table" "$work/layers" >"$work/table.c"
mv "$work/table.c" src/target/cycle_table.c
echo "src/target/cycle_table.c is written; build again"

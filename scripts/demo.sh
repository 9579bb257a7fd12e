#!/bin/sh
# From a bare Debian 12 to a proven keyword spotter: installs what is missing, builds the program, makes a
# spotter from words alone under a board's budget, and runs it on an emulated Cortex-M4. Leaves demo/.
# Run again, it installs nothing and goes on where it stopped. Asks nothing.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
. scripts/install.sh
# other words as the argument go to a folder of their own
words=${1:-yes,no,stop,go}
out=demo${1:+-$(printf %s "$1" | tr -c 'A-Za-z0-9' '-')}
target=nucleo-f446re
budget=flash=96K,sram=48K,ops=12M

need build
echo "building the program"
cmake --preset release -DMN_TESTS=OFF >demo-build.tmp 2>&1 || { cat demo-build.tmp >&2; exit 1; }
cmake --build --preset release >demo-build.tmp 2>&1 || { tail -40 demo-build.tmp >&2; exit 1; }
rm -f demo-build.tmp

resume=
[ -f "$out/run.json" ] && resume=--resume
echo "making a spotter of $words for $target under $budget, from synthetic speech"
build/release/micronets build --words "$words" --target "$target" --budget "$budget" \
  --name kws --out "$out" $resume
echo
echo "$out/ holds model.tflite, firmware/ (C that compiles alone), report.html and every result as JSON."

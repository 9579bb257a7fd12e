#!/bin/sh
# The front end on emulated Cortex-M0, M4 and M55 makes the bytes that the host makes.
# SPDX-License-Identifier: Apache-2.0
set -eu
for tool in arm-none-eabi-gcc qemu-system-arm cc; do
  command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"$MN_BINARY/tests/frontend_emit" > "$work/tables.h"
clips=
[ ! -d "${MN_SHARED:-}/vectors/gsc_wav" ] || clips=$(ls "$MN_SHARED"/vectors/gsc_wav/*.wav)
[ -n "$clips" ] || echo "recordings absent (\$MN_SHARED): made-up clips only"
# shellcheck disable=SC2086
"$MN_BINARY/tests/clips_raw" $clips > "$work/clips.raw"

test=$MN_SOURCE/tests/sim/frontend
features="$MN_SOURCE/src/features/audio.c $MN_SOURCE/src/features/fft.c $MN_SOURCE/src/features/math.c
  $MN_SOURCE/src/features/mel.c $MN_SOURCE/src/features/quantize.c"
flags="-std=c11 -O2 -Wall -Wextra -Werror -I$work -I$MN_SOURCE/include -I$MN_SOURCE/src -I$MN_SOURCE/firmware"
cd "$work"
# shellcheck disable=SC2086
cc $flags "$test/main.c" "$test/host.c" $features -o host
./host > host.txt
lines=$(wc -l < host.txt)
[ "$lines" -ge 16 ] || { echo "the host printed $lines lines"; exit 1; }

core() { # name, flags, machine, linker script
  # shellcheck disable=SC2086
  arm-none-eabi-gcc $flags $2 -ffreestanding -nostartfiles -Wstack-usage=512 -L "$MN_SOURCE/firmware" -T "$MN_SOURCE/firmware/$4" \
    "$test/main.c" "$MN_SOURCE/firmware/startup.c" "$MN_SOURCE/firmware/io_semihost.c" \
    "$MN_SOURCE/firmware/semihost.c" "$MN_SOURCE/firmware/line.c" $features -o "$1.elf"
  timeout 900 qemu-system-arm -M "$3" -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$1.elf" > "$1.txt" </dev/null
  # The same keys, but for the blank at the end of a line.
  sed 's/ *$//' host.txt > expected.txt
  if ! cmp -s expected.txt "$1.txt"; then
    echo "$1: differs from the host:"
    diff expected.txt "$1.txt" | head -4
    exit 1
  fi
  echo "$1: $lines lines, the same as the host's"
}
core cortex-m0 "-mcpu=cortex-m0 -mthumb" mps2-an385 mps2.ld
core cortex-m4 "-mcpu=cortex-m4 -mthumb" mps2-an386 mps2.ld
core cortex-m55 "-mcpu=cortex-m55 -mthumb -O3" mps3-an547 mps3.ld

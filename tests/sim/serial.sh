#!/bin/sh
# Bench over a serial port: an emulated board at the other end of a pseudo-terminal, also with a damaged
# frame; and the programs for two real boards, which are built and not run.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.inc"
"$tools/tflite_make" "$work" >"$work/made" || exit 1
model=$work/dense.tflite
python3 - <<'PY' || { echo "skipped: there are no pseudo-terminals here"; exit 77; }
import os, sys
try:
    os.openpty()
except OSError:
    sys.exit(1)
PY

serial() { # target, mode
  echo "$1 $2"
  timeout 600 python3 "$MN_SOURCE/tests/sim/serial.py" "$MICRONETS" "$model" "$work/$1" "$1" "$2" && return
  echo "FAILED: $1 $2"
  failures=$((failures + 1))
}

# starts_at TARGET ADDRESS: where the board's flash begins, the vectors lie.
starts_at() {
  arm-none-eabi-objdump -h "$work/$1/board.elf" | awk '$2 == ".text" {print $4}' >"$work/at"
  [ "$(cat "$work/at")" = "$2" ] && return
  echo "FAILED: $1 begins at $(cat "$work/at")"
  failures=$((failures + 1))
}

serial mps2-an386 talk
serial mps2-an386 damage
serial nucleo-f446re build
starts_at nucleo-f446re 08000000
serial nrf52840dk build
starts_at nrf52840dk 00000000
"$MICRONETS" bench "$model" --target mps2-an500 --port /dev/null >"$work/out" 2>"$work/err"
[ $? = 3 ] && grep -q "names no board to talk to" "$work/err" || { cat "$work/err"; failures=$((failures + 1)); }
"$MICRONETS" bench "$model" --target mps2-an386 --port /dev/null:12 >"$work/out" 2>"$work/err"
[ $? = 2 ] && grep -q "DEVICE:BAUD" "$work/err" || { cat "$work/err"; failures=$((failures + 1)); }
finish

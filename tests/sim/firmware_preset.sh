#!/bin/sh
# Kernels and front end build bare-metal for M0, M4 and M55, every warning on, at most 512 bytes of stack
# a function, nothing left undefined but memory functions and the compiler's own.
# SPDX-License-Identifier: Apache-2.0
set -u
command -v arm-none-eabi-gcc >/dev/null || { echo "skipped: arm-none-eabi-gcc is absent"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
for core in cortex-m0 cortex-m4 cortex-m55; do
  cmake -S "$MN_SOURCE" -B "$work/$core" -G Ninja -DCMAKE_BUILD_TYPE=MinSizeRel -DMN_FIRMWARE=ON \
    -DCMAKE_TOOLCHAIN_FILE="$MN_SOURCE/firmware/arm-none-eabi.cmake" \
    "-DMN_CORE_FLAGS=-mcpu=$core -mthumb" >"$work/log" 2>&1 &&
    cmake --build "$work/$core" >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
  library=$work/$core/libmn_firmware.a
  arm-none-eabi-nm "$library" | awk '$1 == "U" {print $2}' | sort -u >"$work/wanted"
  arm-none-eabi-nm "$library" | awk 'NF == 3 {print $3}' | sort -u >"$work/given"
  foreign=$(comm -23 "$work/wanted" "$work/given" | grep -Ev '^(memcpy|memset|memmove|memcmp|__aeabi_.*|__gnu_.*|__clz.*)$')
  [ -z "$foreign" ] || { echo "$core: needs $foreign"; exit 1; }
  heap=$(arm-none-eabi-nm "$library" | awk '$2 ~ /[dDbB]/ {print $3}')
  [ -z "$heap" ] || { echo "$core: writable globals: $heap"; exit 1; }
done
echo "all well"

# The training kernels in tiles of AMX, beside those in vectors, on Bochs (3.0 or newer emulates a processor that has
# them). $MN_BOCHS: how to start it, where it is not "bochs"; it finds the build under the same path.
# SPDX-License-Identifier: Apache-2.0
bochs=${MN_BOCHS:-bochs}
if ! $bochs --help cpu 2>&1 | grep -q sapphire_rapids; then
  echo "skipped: no Bochs 3.0 or newer here, which emulates AMX (Debian 13 has it as a package)"
  exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/amx.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
here=$MN_SOURCE/tests/sim/amx
flags="-std=gnu11 -O3 -ffp-contract=fast -ffreestanding -fno-pic -fno-stack-protector -mno-red-zone
  -mcmodel=small -Wall -Wextra -I$MN_SOURCE/include -I$MN_SOURCE/src -DMN_LANES=16
  -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma"
compile() { # OBJECT SOURCE FLAGS...
  object=$1 source=$2
  shift 2
  # shellcheck disable=SC2086
  gcc $flags "$@" -c "$source" -o "$work/$object.o" || exit 1
}
vnni=-mavx512vnni
bf16=-mavx512bf16
tiles="-mamx-tile -mamx-int8 -mamx-bf16"
# shellcheck disable=SC2086
{
  compile bytes_tiles "$MN_SOURCE/src/train/integer/kernels.c" -DMN_ISA=avx512amx $vnni $tiles
  compile bytes_vectors "$MN_SOURCE/src/train/integer/kernels.c" -DMN_ISA=avx512vnni $vnni
  compile bf16_tiles "$MN_SOURCE/src/train/half/bf16.c" -DMN_ISA=avx512amx $bf16 $tiles
  compile bf16_vectors "$MN_SOURCE/src/train/half/bf16.c" -DMN_ISA=avx512bf16 $bf16
  compile main "$here/main.c" $tiles
}
gcc -c -DBOOT_OFFSET=0xfe00 "$here/start.S" -o "$work/start.o" &&
  ld -T "$here/rom.ld" -o "$work/rom.elf" "$work"/*.o 2>"$work/ld.txt" &&
  objcopy -O binary -j .image -j .boot -j .reset --gap-fill 0xff "$work/rom.elf" "$work/rom.bin" ||
  { cat "$work/ld.txt"; exit 1; }
cat >"$work/bochsrc" <<C
cpu: model=sapphire_rapids, count=1, ips=100000000, reset_on_triple_fault=0
megs: 64
romimage: file=$work/rom.bin, address=0xfff00000
vgaromimage: file=/usr/share/vgabios/vgabios.bin
display_library: rfb, options="timeout=0"
port_e9_hack: enabled=1
log: $work/log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
C
printf 'c\nquit\n' >"$work/commands"
timeout 600 $bochs -q -f "$work/bochsrc" -rc "$work/commands" </dev/null >"$work/out" 2>"$work/err"
grep -a 'FAILED\|checks\|emulator' "$work/out"
if grep -aq '[0-9] checks, 0 failures' "$work/out"; then
  echo "all well"
  exit 0
fi
echo "FAILED: what Bochs said:"
tail -n 5 "$work/out"
tail -n 5 "$work/log"
exit 1

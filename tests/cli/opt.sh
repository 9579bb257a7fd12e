#!/bin/sh
# opt: keys, a smaller file that gives the same outputs, trouble told in one line, nothing half written.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
[ -d "${MN_SHARED:-}/golden" ] || { echo 'skipped: development data ($MN_SHARED) is absent'; exit 77; }
golden=$MN_SHARED/golden/mlcommons_vww_96_int8
model=$golden/mlcommons_vww_96_int8.tflite

expect 0 opt "$model" --vectors "$golden" --out "$work/small.tflite" --json || finish
keys "micronets command seed seconds passes macs_before macs_after bytes_before bytes_after proved_on file"
value 'macs_before == 7489664 and macs_after <= 3870000 and bytes_after < bytes_before / 4'
value 'proved_on == 38 and mismatches == 0 and passes[0]["name"] == "dead_channels"'

# the same outputs through another command, and no further gain
"$mn" run "$model" --raw "$golden/in00.bin" --output "$work/a" >/dev/null 2>&1
"$mn" run "$work/small.tflite" --raw "$golden/in00.bin" --output "$work/b" >/dev/null 2>&1
cmp -s "$work/a" "$work/b" || fail "outputs differ"
cp "$work/small.tflite" "$work/first.tflite"
expect 0 opt "$work/small.tflite" --out "$work/small.tflite" --json --inputs 2
value 'macs_before == macs_after and sum(p["removed"] for p in passes) == 0'
cmp -s "$work/small.tflite" "$work/first.tflite" || fail "a second run changed the file"

# outputs that are not the model's: the answer is no, and nothing is written
mkdir "$work/wrong"
cp "$golden/in00.bin" "$work/wrong/in00.bin"
printf 'no' >"$work/wrong/out00.bin"
expect 4 opt "$model" --vectors "$work/wrong" --out "$work/none.tflite" --json && value 'mismatches == 1 and file is None'
[ ! -e "$work/none.tflite" ] || fail "a file was written although outputs differ"

# trouble
expect 2 opt "$model" && one_line && says err "found no --out"
expect 2 opt "$model" --out "$work/x.tflite" --inputs 0 && one_line
expect 3 opt "$work/missing.tflite" --out "$work/x.tflite" && one_line
head -c 20000 "$model" >"$work/cut.tflite"
expect 3 opt "$work/cut.tflite" --out "$work/x.tflite" && one_line && says err "cut.tflite: offset"
expect 1 opt "$model" --out "$work/no/such/folder/x.tflite" --inputs 1 --quiet && one_line
[ ! -e /dev/full ] || expect 1 opt "$model" --out /dev/full/x.tflite --inputs 1 --quiet && one_line
[ -z "$(ls "$work" | grep '^x')" ] || fail "something half written: $(ls "$work")"
finish

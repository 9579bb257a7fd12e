#!/bin/sh
# Limits of a schedule: --max-sram and --max-cycles of inspect and compile are kept or refused by name.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
net=$MN_SOURCE/networks/micronet_kws_s.net
seen="inspect $net --target mps2-an386 --json"

expect 0 $seen --max-sram 1M || finish
cp "$work/out" "$work/fastest"
value 'schedule_rule == "fewest cycles within 1048576 bytes of SRAM"'
expect 0 $seen
value 'schedule_rule == "at most 2 % above the fewest cycles"'
value "cycles_modelled <= 1.02 * $(python3 -c "import json; print(json.load(open('$work/fastest'))['cycles_modelled'])")"
for limit in 40K 32K 24000 20K; do
  expect 0 $seen --max-sram $limit
  value "sram['total'] <= $(echo $limit | sed 's/K/*1024/')"
  value "cycles_modelled >= $(python3 -c "import json; print(json.load(open('$work/fastest'))['cycles_modelled'])")"
done

# the least that the refusal names is kept, a byte less is not
expect 4 $seen --max-sram 1K && one_line && says err "micronet_kws_s.net: no schedule keeps within 1024 bytes of SRAM"
expect 4 $seen --max-sram 1K --json && value 'command == "inspect" and "no schedule keeps" in reason'
least=$(sed -n 's/.*the least found needs \([0-9]*\)$/\1/p' "$work/err")
expect 0 $seen --max-sram "$least" && value "sram['total'] == $least"
expect 4 $seen --max-sram $((least - 1)) && one_line

# both limits: the fewest cycles within the bytes, refused where these are too many
expect 0 $seen --max-sram 32K --max-cycles 100000000
expect 4 $seen --max-sram "$least" --max-cycles 12000000 && one_line && says err "12000000 modelled cycles; the fastest within these bytes needs"

expect 2 $seen --max-sram 32K --min-sram && one_line && says err "--min-sram"
expect 2 $seen --max-sram 32K --runtime tflm && one_line && says err "--runtime tflm"
expect 2 $seen --max-sram 32G && one_line && says err '--max-sram: "32G"'
expect 2 $seen --max-sram 0 && one_line

# least code keeps it too, in loops where it must
expect 0 $seen --small && value 'sram["total"] > 32768'
expect 0 $seen --small --max-sram 32K && value 'sram["total"] <= 32768'

# compile takes the same schedule, front end and all
"$MN_BINARY/tests/tflite_make" "$work" >"$work/made" || finish
model=$(ls "$work"/*.tflite | head -1)
expect 0 inspect "$model" --target mps2-an386 --json
total=$(python3 -c "import json; print(json.load(open('$work/out'))['sram']['total'])")
expect 0 compile "$model" --target mps2-an386 --max-sram "$total" --out "$work/c" --json || finish
value "sram['total'] <= $total and 'within $total bytes' in schedule_rule and bounds['cycles_modelled'] is not None"
expect 4 compile "$model" --target mps2-an386 --max-sram 16 --out "$work/d" && one_line && says err "within 16 bytes"
[ -e "$work/d/model.h" ] && fail "firmware over its limit"
finish

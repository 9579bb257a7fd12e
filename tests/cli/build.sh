#!/bin/sh
# The whole walk on a made-up data set: every file of the run folder, resume, same bytes.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
for program in arm-none-eabi-gcc qemu-system-arm; do
  command -v $program >/dev/null || { echo "skipped: $program is absent"; exit 77; }
done
python3 "$MN_SOURCE/tests/cli/make_tones.py" "$work/tones" 3 10 2
cat >"$work/small.net" <<'NET'
input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10
conv 10x4 {4 8 12} stride 2
ds 3x3 {4 8 12} stride 2 optional
pool avg
conv 1x1 classes=3
flatten
NET
build="build --data $work/tones --space $work/small.net --target mps2-an386 --budget ops=300K,sram=64K --search-epochs 4 --epochs 30 --cache $work/cache --progress lines"

expect 0 $build --out "$work/a" --json || finish
keys "micronets command seed seconds data.splits search.best train.int8 compile.files bench.parity runtime trained_on summary"
value 'bench["parity"]["mismatches"] == 0 and bench["parity"]["tensors"] > 0 and search["budget_met"]'
value 'compile["sram"]["arena"] == bench["sram"]["arena"] and compile["sram"]["features"] == bench["sram"]["features"]'
value 'search["best"]["schedule_rule"] == compile["schedule_rule"] == "at most 2 % above the fewest cycles"'
value 'bench["sram"]["total"] <= 65536 and runtime == "micronets" and "300000" not in summary'
value 'search["best"]["sram"] >= bench["sram"]["arena"] + bench["sram"]["features"] + bench["sram"]["stack"]'
for file in data.json search.json pareto.json arch.net train.json model.tflite firmware/model.h firmware/model.c \
  bench.json report.html log.txt run.json; do
  [ -s "$work/a/$file" ] || fail "$file is not there"
done
[ -z "$(find "$work/a" -name '*.tmp')" ] || fail "temporary files are left"
grep -q '<h2>Bench</h2>' "$work/a/report.html" || fail "no bench in the report"
if grep -Eq '(src|href)="?http' "$work/a/report.html"; then fail "the report fetches something"; fi
expect 0 report "$work/a" --json
keys "micronets command file seconds"

# done already: nothing runs again, the answer is the same
expect 0 $build --out "$work/a" --json --resume
value 'bench["parity"]["mismatches"] == 0'
expect 2 $build --out "$work/a" --json --resume --seed 2 && one_line && says err "--seed"
expect 2 $build --out "$work/a" --resume --epochs 31
was=$(sed -n 's/.*"arithmetic": "\([a-z]*[0-9]*\)",*$/\1/p' "$work/a/run.json" | grep -v auto)
[ -n "$was" ] || fail "run.json does not tell the arithmetic"
other=float32
[ "$was" != float32 ] || other=int16
expect 2 $build --out "$work/a" --resume --arithmetic $other && one_line && says err "give --arithmetic $was"

# interrupted at two places, resumed each time: the bytes of the unbroken run
interrupt_at() {
  pattern=$1
  shift
  "$mn" "$@" >"$work/out" 2>"$work/err" &
  pid=$!
  for _ in $(seq 600); do
    grep -q "$pattern" "$work/err" && break
    sleep 0.02
  done
  kill -INT $pid
  wait $pid
  got=$?
  [ $got = 130 ] || fail "interrupted at $pattern: exit $got"
  grep -q 'go on with: .*--resume' "$work/err" || fail "no resume command"
}
interrupt_at '^stage=search' $build --out "$work/b"
interrupt_at '^stage=train' $build --out "$work/b" --resume
expect 0 $build --out "$work/b" --resume
for file in arch.net model.tflite; do
  cmp "$work/a/$file" "$work/b/$file" || fail "resumed: other bytes in $file"
done
grep -q '"state": "done"' "$work/b/run.json" || fail "run.json does not say done"

# what was linked has the last word: a bench result over the budget is told, with the object
cp -r "$work/b" "$work/over"
sed -i 's/"total": *[0-9]*/"total": 99999999/' "$work/over/bench.json"
expect 4 $build --out "$work/over" --resume --json && says err "expected at most 65536"
value 'bench["sram"]["total"] == 99999999 and summary is not None'

# what the stages were made of must be there as it was
cp -r "$work/tones" "$work/more"
cp "$(find "$work/more" -name '*.wav' | sort | head -1)" "$work/more/tone1/zz_another.wav"
sed "s|$work/tones|$work/more|" "$work/b/run.json" >"$work/over/run.json"
expect 2 $(echo "$build" | sed "s|$work/tones|$work/more|") --out "$work/over" --resume && says err "the data has changed"
cp "$work/small.net" "$work/kept.net"
echo "# changed" >>"$work/small.net"
expect 2 $build --out "$work/b" --resume && says err "small.net has changed"
mv "$work/kept.net" "$work/small.net"

# without a test split nothing is said of one
mkdir "$work/two"
for split in train val; do
  mkdir -p "$work/two/$split"
  cp -r "$work/tones"/tone* "$work/two/$split"
done
expect 0 build --data "$work/two" --space "$work/small.net" --target mps2-an386 --budget ops=300K --search-epochs 1 --epochs 1 \
  --cache "$work/cache2" --progress never --out "$work/untested" --json || finish
value 'summary.startswith("int8 accuracy unknown (test), ") and train["int8"]["test"] is None'

# a budget that the usual schedule misses: search prices, compile and bench take the one that keeps it
sed -e 's/^conv 10x4 .*/conv 10x4 24 stride 2x1\nds 3x3 24/' -e 's/^ds 3x3 {.*/ds 3x3 {16 24} stride 2/' "$work/small.net" >"$work/wide.net"
expect 0 build --data "$work/tones" --space "$work/wide.net" --target mps2-an386 --budget sram=9000 --search-epochs 1 \
  --epochs 1 --cache "$work/cache" --progress never --out "$work/tight" --json || finish
value 'search["best"]["schedule_rule"] == compile["schedule_rule"] == bench["schedule_rule"] == "fewest cycles within 9000 bytes of SRAM"'
value 'search["best"]["sram"] <= 9000 and compile["sram"]["total"] <= 9000 and bench["sram"]["total"] <= 9000'
value 'bench["parity"]["mismatches"] == 0 and any(group["rows_per_turn"] for group in compile["schedule"])'

# the firmware compiles alone and passes its own test
make -s -C "$work/a/firmware" >"$work/out" 2>&1 || fail "firmware: $(tail -3 "$work/out")"

# what cannot be is said before training, and nothing stands there that looks like an answer
expect 4 build --data "$work/tones" --space "$work/small.net" --target mps2-an386 --budget sram=1K \
  --cache "$work/cache" --progress never --out "$work/c" --json && says err "sram"
value 'data["task"] == "kws" and search["budget_met"] is False and train is None and bench is None and summary is None'
[ -e "$work/c/model.tflite" ] && fail "a model over budget"
grep -q '"state": "done"' "$work/c/run.json" || fail "an answer that is no is not the end of a run"
expect 2 build --data "$work/tones" --budget ops=1M --out "$work/c" && one_line && says err "--target"
expect 2 build --words yes,no --target no-such-board --budget ops=1M --out "$work/c" && one_line && says err "no-such-board"
expect 3 report "$work/tones" && one_line
mkdir "$work/r" && printf '{"a": 1,\n' >"$work/r/run.json"
expect 3 report "$work/r" && one_line && says err "run.json:2"
[ -e "$work/r/report.html" ] && fail "a report of a broken run"
finish

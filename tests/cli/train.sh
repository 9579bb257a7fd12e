#!/bin/sh
# Train, eval, run, inspect, compile on a made-up data set: keys of every object, resume, same bytes.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
net=$MN_SOURCE/tests/cli/tiny.net
python3 "$MN_SOURCE/tests/cli/make_tones.py" "$work/tones" 3 12 3
base="train --data $work/tones --net $net --batch 10 --warmup-epochs 1 --cache $work/cache --progress lines"
train="$base --epochs 40"

expect 0 $train --out "$work/a" --json || finish
keys "micronets command model trained_on metric float.val float.test int8.val int8.test epochs samples_per_second seed seconds"
value 'int8["test"] > 0.7'
for file in model.tflite train.json run.json train.ckpt; do
  [ -s "$work/a/$file" ] || fail "$file is not there"
done
[ -z "$(find "$work/a" -name '*.tmp')" ] || fail "temporary files are left"

# the same seed gives the same bytes, whatever the threads; another gives others
expect 0 $train --out "$work/b" --threads 1
cmp "$work/a/model.tflite" "$work/b/model.tflite" || fail "one thread gives other bytes"
expect 0 $train --out "$work/c" --seed 2
cmp -s "$work/a/model.tflite" "$work/c/model.tflite" && fail "another seed gives the same bytes"

# interrupted after some steps, then resumed: the bytes of the unbroken run
"$mn" $train --out "$work/d" >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 200); do
  grep -q '^stage=train' "$work/err" && break
  sleep 0.05
done
kill -INT $pid
wait $pid
got=$?
if [ $got = 0 ]; then
  echo "note: the run ended before the interrupt"
else
  [ $got = 130 ] || fail "interrupted: exit $got"
  grep -q 'go on with: .*--resume' "$work/err" || fail "no resume command: $(cat "$work/err")"
  [ -e "$work/d/model.tflite" ] && fail "an interrupted run left a model"
  grep -q '"state": "interrupted"' "$work/d/run.json" || fail "run.json does not say interrupted"
fi
expect 0 $train --out "$work/d" --resume
grep -q '"state": "done"' "$work/d/run.json" || fail "run.json does not say done"
cmp "$work/a/model.tflite" "$work/d/model.tflite" || fail "a resumed run gives other bytes"

# the model speaks for itself
expect 0 eval "$work/a/model.tflite" --data "$work/tones" --json
keys "micronets command split items accuracy per_class confusion threshold recall false_accepts seconds"
value 'accuracy > 0.7 and split == "test" and len(confusion) == 3'
clip=$(find "$work/tones/tone1" -name '*.wav' | sort | head -1)
expect 0 run "$work/a/model.tflite" "$clip" --json --dump "$work/dump.bin" --output "$work/out.bin"
keys "micronets command scores class seconds"
value 'len(scores) == 3'
[ "$(wc -c <"$work/out.bin")" = 3 ] || fail "the raw output is not three bytes"
tail -c 3 "$work/dump.bin" | cmp - "$work/out.bin" || fail "the dump does not end in the output"
expect 0 inspect "$work/a/model.tflite" --json --target mps2-an386
keys "macs ops params layers front_end sram.arena sram.features sram.lower_bound sram.total flash.weights flash.constants flash.code flash.total tflm.arena tflm.head tflm.tail tflm.model_bytes tflm.ops cycles_modelled ms_modelled mj_modelled error_percent error_basis"
value 'front_end.startswith("input") and all(k in layers[0] for k in ("name", "kind", "output", "macs", "params"))'
expect 0 inspect "$net" --json
keys "macs ops params layers front_end sram flash tflm"
expect 0 compile "$work/a/model.tflite" --target mps2-an386 --name tone --out "$work/fw" --json
keys "files sram.arena flash.total kernels schedule"
[ -s "$work/fw/model.h" ] || fail "no model.h"

# options of other data are no settings
expect 2 $train --cutmix 0.5 --out "$work/x" && says err "--cutmix changes nothing here; expected photos"
expect 2 $train --distill 0.3 --out "$work/x" && says err "--distill"

# classes of another training mean nothing, wherever the last layer with weights stands
sed 's/^pool avg$//; s/^flatten$/pool avg\nflatten/' "$net" >"$work/pooled.net"
mkdir "$work/other"
cp -r "$work/tones/tone0" "$work/other/a" && cp -r "$work/tones/tone1" "$work/other/b" && cp -r "$work/tones/tone2" "$work/other/c"
for case in "$net" "$work/pooled.net"; do
  expect 0 train --data "$work/tones" --net "$case" --epochs 1 --batch 10 --cache "$work/cache" --out "$work/three"
  rm -rf "$work/other/c"
  expect 0 train --data "$work/other" --net "$case" --epochs 1 --batch 10 --init "$work/three/train.ckpt" --cache "$work/cache" --out "$work/twos" --json
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["inherited_layers"])' "$work/out" >>"$work/inherited"
done
[ "$(uniq "$work/inherited" | wc -l)" = 1 ] || fail "the scores of other classes are inherited: $(cat "$work/inherited")"

# activations that cannot be trained are refused before anything is
sed 's/^conv 10x4 \(.*\)/conv 10x4 \1 activations 16/' "$net" >"$work/wide.net"
expect 3 train --data "$work/tones" --net "$work/wide.net" --epochs 1 --cache "$work/cache" --out "$work/x" && says err "expected 8 bits"

# the arithmetic is told, and a run goes on only in its own
expect 0 $base --epochs 2 --out "$work/h" --arithmetic float32 --json
value 'arithmetic == "float32"'
grep -q '"arithmetic": "float32"' "$work/h/run.json" || fail "run.json does not tell the arithmetic"
expect 3 $base --epochs 2 --out "$work/h" --arithmetic bf16 --resume && says err "--arithmetic float32"
for arithmetic in bf16 int16; do
  expect 0 $base --epochs 2 --out "$work/$arithmetic" --arithmetic $arithmetic --json
  value "arithmetic == \"$arithmetic\""
  expect 3 $base --epochs 2 --out "$work/$arithmetic" --arithmetic float32 --resume && says err "--arithmetic $arithmetic"
done

# nor under other options, or from other weights than it began with
expect 3 $base --epochs 3 --out "$work/h" --arithmetic float32 --resume && says err "is of run"
expect 0 $base --epochs 2 --out "$work/h2" --arithmetic float32 --seed 2 --init "$work/h/train.ckpt" --json
value 'inherited_layers > 0'
expect 0 $base --epochs 2 --out "$work/h2" --arithmetic float32 --seed 2 --init "$work/h/train.ckpt" --resume --json
value 'inherited_layers is None'
expect 3 $base --epochs 2 --out "$work/h2" --arithmetic float32 --seed 2 --resume && says err "is of run"
expect 3 $base --epochs 2 --out "$work/h2" --arithmetic float32 --seed 2 --init "$work/a/train.ckpt" --resume && says err "is of run"

# several seeds, inherited weights
# without --cache, what an earlier run has made of the data is taken from beside its checkpoint
mkdir "$work/kept" && cp "$work/a/train.ckpt" "$work/kept" && cp -r "$work/cache" "$work/kept/cache"
bare=$(echo "$base" | sed 's/--cache [^ ]*//')
expect 0 $bare --epochs 1 --out "$work/i" --init "$work/kept/train.ckpt"
[ -e "$work/i/cache" ] && fail "features are kept again, not taken from beside --init"
expect 0 $bare --epochs 1 --out "$work/i"
[ -e "$work/i/cache" ] || fail "features are not kept in the folder of the run"
expect 0 $base --epochs 3 --out "$work/e" --seeds 2 --json --init "$work/a/train.ckpt"
keys "mean sd runs inherited_layers"
value 'len(runs) == 2 and inherited_layers > 0'

# stored input tensors
expect 0 run "$work/a/model.tflite" "$clip" "$clip" --json
value 'len(inputs) == 2'
head -c 490 /dev/zero >"$work/zero.bin"
printf 'zero.bin,3,0\nzero.bin,3,1\n' >"$work/labels.csv"
expect 0 eval "$work/a/model.tflite" --raw "$work" --labels "$work/labels.csv" --json
value 'items == 2 and accuracy in (0, 0.5) and split is None'
printf 'zero.bin,3,9\n' >"$work/labels.csv"
expect 3 eval "$work/a/model.tflite" --raw "$work" --labels "$work/labels.csv" && one_line && says err "labels.csv:1"
expect 3 run "$work/a/model.tflite" --raw "$work/labels.csv" && one_line

# sounds that are none
: >"$work/zero.wav"
expect 3 run "$work/a/model.tflite" "$work/zero.wav" && one_line && says err "zero.wav"
head -c 20 "$clip" >"$work/short.wav"
expect 3 run "$work/a/model.tflite" "$work/short.wav" && one_line && says err "short.wav"
expect 3 run "$work/a/model.tflite" "$net" && one_line
"$mn" run "$work/a/model.tflite" "$work/absent.wav" >"$work/out" 2>"$work/err"
case $? in 1 | 3) one_line ;; *) fail "absent clip: exit $?" ;; esac

# files cut short: refused in one line, whatever the place of the cut
size=$(wc -c <"$work/a/model.tflite")
for part in 0 1 7 8 100 $((size / 2)) $((size - 1)); do
  head -c "$part" "$work/a/model.tflite" >"$work/cut.tflite"
  expect 3 inspect "$work/cut.tflite" && one_line
  expect 3 run "$work/cut.tflite" "$clip"
done
expect 3 train --data "$work/tones" --net "$net" --epochs 1 --init "$work/cut.tflite" --out "$work/f"

# no room for the files, no right to make them
expect 1 run "$work/a/model.tflite" "$clip" --output /dev/full && one_line && says err "No space left"
(ulimit -f 1 && "$mn" $base --epochs 1 --out "$work/g" >"$work/out" 2>"$work/err")
[ $? = 1 ] || fail "file size limit: exit is not 1"
[ -e "$work/g/model.tflite" ] && fail "a half-written model"
touch "$work/file"
expect 1 $base --epochs 1 --out "$work/file/below" && says err "file"
expect 1 $base --epochs 1 --out /proc/micronets && says err "/proc/micronets"
if [ "$(id -u)" != 0 ]; then
  mkdir "$work/closed" && chmod 500 "$work/closed"
  expect 1 $base --epochs 1 --out "$work/closed/h" && says err "closed"
fi
expect 3 train --data "$work/tones" --net "$work/absent.net" && one_line
finish

#!/bin/sh
# The whole walk on made-up photos: data, train with every recipe and resume, eval, run, compile, search.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
net=$MN_SOURCE/tests/cli/tiny_photo.net
python3 "$MN_SOURCE/tests/cli/make_photos.py" "$work/set" 3 40

expect 0 data "$work/set" --json
keys "task classes splits.train.items image_size problems leaks"
value 'task == "ic" and image_size == [32, 32] and sample_rate is None and not problems'
expect 3 data "$work/set" --task ad

base="train --data $work/set --net $net --batch 16 --warmup-epochs 1 --cache $work/cache --progress lines"
expect 0 $base --epochs 20 --out "$work/a" --json || finish
value 'int8["test"] > 0.7 and best_epoch == 20'
expect 0 $base --epochs 20 --out "$work/b" --threads 1
cmp "$work/a/model.tflite" "$work/b/model.tflite" || fail "one thread gives other bytes"

# every recipe at once; interrupted and resumed it ends with the same bytes
recipe="$base --epochs 12 --teacher $work/a/model.tflite --average 0.9 --keep best --class-weights balanced --mixup 0.2 --cutmix 0.3"
expect 0 $recipe --out "$work/c" --json && value 'best_epoch <= 12 and int8["val"] > 0.4'
"$mn" $recipe --out "$work/d" >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 200); do
  grep -q '^stage=train' "$work/err" && break
  sleep 0.05
done
kill -INT $pid
wait $pid
expect 0 $recipe --out "$work/d" --resume
cmp "$work/c/model.tflite" "$work/d/model.tflite" || fail "a resumed run gives other bytes"
expect 0 $base --epochs 30 --patience 2 --quantize-from 0.1 --out "$work/e" --json
value 'epochs < 30'
expect 2 $base --epochs 1 --average 1.5 --out "$work/x" && one_line
# a teacher in float: a checkpoint and its network
float="$base --epochs 8 --distill 1 --teacher $work/a/train.ckpt"
expect 0 $float --teacher-net "$net" --out "$work/f" --json && value 'int8["test"] > 0.6'
expect 0 $float --teacher-net "$net" --out "$work/f1" --threads 1
cmp "$work/f/model.tflite" "$work/f1/model.tflite" || fail "one thread with a teacher in float gives other bytes"
expect 0 $base --epochs 8 --distill 1 --teacher "$work/a/model.tflite" --out "$work/f8" --json
cmp -s "$work/f/model.tflite" "$work/f8/model.tflite" && fail "a teacher in float teaches what one in 8 bits does"
expect 3 $float --out "$work/x" && says err "train.ckpt"
expect 3 $float --teacher-net "$MN_SOURCE/tests/cli/photo_space.net" --out "$work/x" && says err "expected"
expect 2 $base --epochs 1 --teacher-net "$net" --out "$work/x" && one_line
# options of other data are no settings
expect 2 $base --epochs 1 --draws 3 --out "$work/x" && says err "--draws changes nothing here; expected clips of words"
expect 2 $base --epochs 1 --cut 0.3 --out "$work/x" && says err "--cut"
expect 2 $base --epochs 1 --temperature 2 --out "$work/x" && says err "expected a --teacher"
sed 's/24/16/' "$net" >"$work/small.net"
expect 3 train --data "$work/set" --net "$work/small.net" --epochs 1 --teacher "$work/a/model.tflite" --out "$work/x" &&
  says err "input line"

# a real set, where the package dataset-fashion-mnist is installed
fashion=/usr/share/datasets/fashion-mnist
if [ -d $fashion ]; then
  expect 0 data $fashion --json
  value 'task == "ic" and image_size == [28, 28] and splits["test"]["items"] == 10000 and not problems'
fi

# the model speaks for itself
expect 0 eval "$work/a/model.tflite" --data "$work/set" --json && value 'accuracy > 0.7'
expect 0 run "$work/a/model.tflite" "$work/set/pattern1/007.png" --json && value 'len(scores) == 3'
head -c 100 "$work/set/pattern1/007.png" >"$work/cut.png"
expect 3 run "$work/a/model.tflite" "$work/cut.png" && one_line && says err "cut.png"
expect 0 compile "$work/a/model.tflite" --target mps2-an386 --name see --out "$work/fw" --quiet
grep -q 'void see_image(void' "$work/fw/model.h" || fail "no see_image"

# choices on the input line are searched one by one
expect 0 search --data "$work/set" --space "$MN_SOURCE/tests/cli/photo_space.net" --target mps2-an386 \
  --budget ops=200K,sram=16K --epochs 2 --cache "$work/cache" --out "$work/s" --json
value 'budget_met and best["ops"] <= 200000 and len(inputs) == 4'
expect 0 train --data "$work/set" --net "$work/s/arch.net" --init "$work/s/supernet.ckpt" --epochs 1 --out "$work/t" --json
value 'inherited_layers > 3'
finish

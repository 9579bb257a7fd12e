#!/bin/sh
# Training and search on two processes of mpirun: the same bytes each time, close to one process; a rank
# that dies ends the run, and what is left can be resumed.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
ranks=$MN_BINARY/tests/micronets_ranks
[ -x "$ranks" ] || { echo "skipped: built without MPI (package libopenmpi-dev)"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
two="mpirun --oversubscribe --bind-to none -np 2"
python3 "$MN_SOURCE/tests/cli/make_tones.py" "$work/tones" 3 12 3
train="train --data $work/tones --net $MN_SOURCE/tests/cli/tiny.net --batch 10 --warmup-epochs 1 --epochs 40
  --threads 1 --cache $work/cache --progress lines"

# several <program> words: as expect, under mpirun
several() {
  code=$1
  shift
  $two "$@" >"$work/out" 2>"$work/err" </dev/null
  got=$?
  [ "$got" = "$code" ] || { fail "mpirun $*: exit $got, expected $code"; sed 's/^/    /' "$work/err"; }
}

several 0 "$ranks" $train --out "$work/a" --json
keys "int8.val int8.test float.test loss"
value 'int8["test"] > 0.7'
loss=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["loss"])' "$work/out")
several 0 "$ranks" $train --out "$work/b"
cmp "$work/a/model.tflite" "$work/b/model.tflite" || fail "two ranks twice give different bytes"

# one process alone: the same training but for the order of sums
expect 0 $train --out "$work/one" --json
value "abs(loss - $loss) < 0.05"

# each rank draws and teaches its own items only, which may be none, and ranges start from the whole batch:
# small steps, which do not let a difference of rounding grow, end where one process does (in floats: 16 bits
# would round such a difference up to one of their own)
small="$(echo "$train" | sed 's/--batch 10/--batch 3/; s/--epochs 40/--epochs 4/') --learning-rate 1e-4
  --arithmetic float32 --mixup 0.4 --teacher $work/a/model.tflite --distill 0.5"
expect 0 $small --out "$work/small1" --json
loss=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["loss"])' "$work/out")
for count in 4 2; do
  two="mpirun --oversubscribe --bind-to none -np $count"
  several 0 "$ranks" $small --out "$work/small" --json
  value "abs(loss / $loss - 1) < 1e-6"
done

# one of the ranks dies: mpirun ends the others; the checkpoint goes on to the same bytes
$two "$ranks" $train --out "$work/d" >"$work/out" 2>"$work/err" </dev/null &
pid=$!
for _ in $(seq 200); do
  [ -e "$work/d/train.ckpt" ] && break
  sleep 0.05
done
pkill -KILL -n -f "micronets_ranks train .*$work/d"
wait $pid && echo "note: the run ended before a rank was killed"
several 0 "$ranks" $train --out "$work/d" --resume
cmp "$work/a/model.tflite" "$work/d/model.tflite" || fail "a resumed run gives other bytes"

# search shares its steps too
cat >"$work/small.net" <<'NET'
input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10
conv 10x4 {4 8 12} stride 2
ds 3x3 {4 8 12} optional
pool avg
conv 1x1 classes=3
flatten
NET
search="search --data $work/tones --space $work/small.net --target mps2-an386
  --budget ops=400K --epochs 2 --threads 1 --cache $work/cache --progress never"
several 0 "$ranks" $search --out "$work/s1" --json
keys "best.ops budget_met"
several 0 "$ranks" $search --out "$work/s2"
cmp "$work/s1/arch.net" "$work/s2/arch.net" || fail "two ranks twice find different networks"
cmp "$work/s1/supernet.ckpt" "$work/s2/supernet.ckpt" || fail "two supernets differ"

# candidates are judged, and the front is trained, one per rank: from one supernet the same for any
# number of ranks
expect 0 $(echo "$search" | sed 's/--epochs 2/--epochs 40/') --out "$work/s0"
second="$(echo "$search" | sed 's/--epochs 2//') --supernet $work/s0/supernet.ckpt --front-epochs 2"
several 0 "$ranks" $second --out "$work/s3"
expect 0 $second --out "$work/s4"
sed "s|$work/s3|$work/s4|" "$work/s3/pareto.json" | cmp - "$work/s4/pareto.json" ||
  fail "two ranks find another front than one"
for file in arch.net $(cd "$work/s4" && echo pareto/*.tflite); do
  cmp "$work/s3/$file" "$work/s4/$file" || fail "two ranks make another $file than one"
done

# others do not share, and say so; nor does a program without MPI
several 2 "$ranks" inspect "$work/a/model.tflite"
says err "only train and search share"
several 3 "$mn" $train --out "$work/none"
says err "built without MPI"
finish

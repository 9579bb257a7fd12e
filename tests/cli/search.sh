#!/bin/sh
# Space and search on a made-up data set: keys, a budget that is kept, one that cannot be.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
python3 "$MN_SOURCE/tests/cli/make_tones.py" "$work/tones" 3 10 2
cat >"$work/small.net" <<'NET'
input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10
conv 10x4 {4 8 12 16} stride 2
ds 3x3 {4 8 12 16} stride 2
ds 3x3 {4 8 12 16} optional
pool avg
conv 1x1 classes=3
flatten
NET

expect 0 space "$work/small.net" --json --target mps2-an386 || finish
keys "decisions networks_log10 smallest.ops smallest.params smallest.flash smallest.sram largest.ops largest.params largest.flash largest.sram"
value 'decisions == 4 and smallest["ops"] < largest["ops"]'
expect 0 space "$work/small.net" --json
keys "decisions networks_log10 smallest.ops smallest.params largest.ops"
value '"flash" not in smallest'

search="search --data $work/tones --space $work/small.net --target mps2-an386 --cache $work/cache --epochs 4 --progress lines"
expect 0 $search --budget ops=300K,sram=64K --out "$work/a" --json || finish
keys "metric best.net best.ops best.params best.flash best.sram best.ms_modelled best.val pareto budget_met epochs seed"
value 'budget_met and best["ops"] <= 300000 and best["sram"] <= 65536'
for file in arch.net pareto.json search.json supernet.ckpt run.json; do
  [ -s "$work/a/$file" ] || fail "$file is not there"
done
grep -q '"state": "done"' "$work/a/run.json" || fail "run.json does not say done"
expect 0 inspect "$work/a/arch.net" --json
value 'ops <= 300000'
expect 0 $search --budget ops=300K,sram=64K --out "$work/b" --threads 1
cmp "$work/a/arch.net" "$work/b/arch.net" || fail "one thread finds another network"

# another budget from the same supernet
search=$(echo "$search" | sed 's/--epochs 4//')
expect 0 $search --budget ops=200K --supernet "$work/a/supernet.ckpt" --out "$work/c" --json
value 'budget_met and best["ops"] <= 200000 and epochs == 0'
expect 0 $search --epochs 2 --budget ops=200K --supernet "$work/a/supernet.ckpt" --out "$work/f" --json
value 'budget_met and best["ops"] <= 200000 and epochs == 2'

# a search goes on only as the run that it was, and a supernet answers for its own classes only
same="search --data $work/tones --space $work/small.net --target mps2-an386 --cache $work/cache --epochs 4 --budget ops=300K,sram=64K"
expect 0 $same --out "$work/b" --resume
cmp "$work/a/arch.net" "$work/b/arch.net" || fail "resuming what is done gives another network"
for other in "--seed 7" "--price paper" "--budget ops=200K" "--epochs 5" "--target mps3-an547"; do
  expect 3 $(echo "$same" | sed "s/${other% *} [^ ]*//") $other --out "$work/b" --resume && says err "is of run"
done
cp -r "$work/tones" "$work/turned" && mv "$work/turned/tone0" "$work/turned/zzz"
turned=$(echo "$search" | sed "s|$work/tones|$work/turned|")
expect 3 $turned --budget ops=200K --supernet "$work/a/supernet.ckpt" --out "$work/t" && says err "other classes"
expect 0 $turned --epochs 1 --budget ops=200K --supernet "$work/a/supernet.ckpt" --out "$work/t"

# every network of the front trained
expect 0 $search --front-epochs 2 --budget ops=200K --supernet "$work/a/supernet.ckpt" --out "$work/g" --json
value 'all(0 <= row[form][split] <= 1 for row in pareto for form in ("float", "int8") for split in ("val", "test"))'
expect 0 inspect "$work/g/pareto/00.tflite"
expect 2 $search --front-epochs -1 --budget ops=200K --out "$work/g" && one_line

# a folder that was searched before: one front is left, and what is not of a front stays. Resuming keeps what was trained
# of the same network, and nothing of another one
(cd "$work/g/pareto" && touch 00.ckpt.123.tmp 07.tflite 98.net 99.tflite 99.ckpt 99.net.4.tmp 100.net 98.txt 7.net 007.net net)
again="$search --budget ops=200K --supernet $work/a/supernet.ckpt --out $work/g"
cp "$work/g/pareto/00.tflite" "$work/trained"
echo other >"$work/g/pareto/01.net"
expect 4 $(echo "$again" | sed 's/200K/1K/')
[ -e "$work/g/pareto/99.ckpt" ] || fail "a search without an answer removes the last one's front"
expect 0 $again --resume --json
value 'len(pareto) > 1'
front=$(python3 -c 'import json,sys; print(*sorted("%02d.net" % i for i in range(len(json.load(open(sys.argv[1]))["pareto"]))))' "$work/out")
kept="00.ckpt 00.tflite"
for number in 02 03 04 05 06; do
  [ -e "$work/g/pareto/$number.net" ] && kept="$kept $number.ckpt $number.tflite"
done
# left NAMES: they and the files of others, nothing else
left() {
  expected=$(echo $1 98.txt 7.net 007.net net | tr ' ' '\n' | sort)
  [ "$(ls "$work/g/pareto" | sort)" = "$expected" ] || fail "pareto: $(ls "$work/g/pareto" | tr '\n' ' '), expected $expected"
}
left "$front $kept"
cmp "$work/g/pareto/00.tflite" "$work/trained" || fail "resuming changed a trained network"
expect 0 $again
left "$front"

# time counts where the core has a table; energy only where the target knows its power
sed 's/^kernels = .*/kernels = ref/' "$MN_SOURCE/targets/mps2-an386.ini" >"$work/ref.ini"
timed=$(echo "$search" | sed "s|--target mps2-an386|--target $work/ref.ini|")
expect 0 $timed --budget ms=150 --supernet "$work/a/supernet.ckpt" --out "$work/e" --json
value 'budget_met and 0 < best["ms_modelled"] <= 150'
expect 2 $timed --budget mj=1 --out "$work/d" && says err "mj is not modelled for target ref"

# what cannot be is said before training
expect 4 $search --budget ops=1K --out "$work/d" --json && says err "ops"
value 'command == "search" and best is None and pareto == [] and budget_met is False and "ops=1000" in reason and seed == 1'
[ -e "$work/d/arch.net" ] && fail "an answer to a budget that cannot be met"
expect 2 $search --budget opps=1K --out "$work/d" && one_line
expect 2 $search --out "$work/d" && one_line && says err "--budget"
expect 2 search --data "$work/tones" --budget ops=1M --target mps2-an386 && one_line && says err "--space"
sed 's/stride/strid/' "$work/small.net" >"$work/bad.net"
expect 3 space "$work/bad.net" && one_line && says err "bad.net:2" && says err 'did you mean "stride"'
finish

#!/bin/sh
# Phrases: the window of the network follows what is spoken; the record names who spoke.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
words="--cache $work/cache --progress never"

# a budget that nothing fits ends the walk behind the choice of the space
expect 4 build -v $words --words "wake=hey my computer please listen" --target mps2-an386 --budget ops=1K --out "$work/long"
grep -Eq '^input logmel .*length (1500ms|2s|2500ms|3s) .*level normalised' "$work/long/space.net" || fail "no longer window"
grep -q '^conv 10x4 {' "$work/long/space.net" || fail "the space lost its choices"
says err "at once"
expect 4 build $words --words stop --target mps2-an386 --budget ops=1K --out "$work/short"
[ ! -e "$work/short/space.net" ] || fail "a longer window for a short word"

# a network that is too short for the phrase is told so
expect 0 train $words --only-words --words "wake=hey my computer please listen,stop" --net "$MN_SOURCE/tests/cli/tiny.net" --epochs 1 --out "$work/t"
says err "write \"length"
expect 4 search $words --only-words --words "wake=hey my computer please listen,stop" --space "$MN_SOURCE/tests/cli/tiny.net" --target mps2-an386 --budget ops=1K --out "$work/t2"
says err "write \"length"
python3 -c "import json, sys; r = json.load(open('$work/t/run.json')); sys.exit('espeak-ng' not in r['versions']['speech'])" || fail "run.json does not name the synthesisers"

# what stands between zeros and how many copies are drawn change the training; nonsense is refused
for option in "--cut 1" "--draws 2"; do
  expect 0 train $words --only-words --words "wake=hey my computer please listen,stop" --net "$MN_SOURCE/tests/cli/tiny.net" --epochs 1 $option --out "$work/o"
  cmp -s "$work/t/model.tflite" "$work/o/model.tflite" && fail "$option changes nothing"
done
expect 2 train $words --words stop --net "$MN_SOURCE/tests/cli/tiny.net" --cut 1.5 --out "$work/n" && one_line && says err "--cut"
expect 2 train $words --words stop --net "$MN_SOURCE/tests/cli/tiny.net" --draws 0 --out "$work/n" && one_line && says err "--draws: found 0"

# what is refused before anything is spoken, as it was given
refused() {
  expect 2 data $words --words "$1" $2 && one_line && says err "$3"
}
refused "yes,YES" --only-words 'a word given twice in "YES"'
refused "yes,b=" --only-words 'an empty word in "b="'
refused "stop,go" "--unknown-words Go" 'one of --words in "Go"'
expect 2 data $words --words "stop,✓✓" && says err 'espeak-ng has no sounds for "✓✓"'
expect 3 data $words --words stop --unknown-words "$work/none.txt" && one_line && says err "none.txt"
# letters that flite does not read are spoken by espeak-ng alone, with a word about it
expect 0 data --progress never --threads 1 --words "yes,über" --only-words --cache "$work/letters" --json && says err "only espeak-ng reads"
value 'splits["train"]["per_class"]["über"] > 100'
finish

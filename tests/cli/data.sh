#!/bin/sh
# Data sets with things wrong in them: counted and named, never a crash.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
python3 "$MN_SOURCE/tests/cli/make_tones.py" "$work/tones" 3 8 2

expect 0 data "$work/tones" --json || finish
keys "micronets command task classes splits.train.items splits.val.items splits.test.items splits.train.per_class sample_rate problems leaks seconds"
value 'classes == ["tone0", "tone1", "tone2"] and task == "kws" and sample_rate == 16000'
value 'sum(splits[s]["items"] for s in splits) == 48'
expect 0 data "$work/tones" && says out "tone2"

# a tar and a zip say the same as the folder
(cd "$work" && tar cf tones.tar tones)
expect 0 data "$work/tones.tar" --json
value 'classes == ["tone0", "tone1", "tone2"] and sum(splits[s]["items"] for s in splits) == 48'

# damage
first=$(find "$work/tones/tone0" -name '*.wav' | sort | head -1)
: >"$work/tones/tone0/deadbeef_nohash_0.wav"
head -c 30 "$first" >"$work/tones/tone0/deadbeef_nohash_1.wav"
echo "no sound" >"$work/tones/tone1/cafe0000_nohash_0.wav"
cp "$first" "$work/tones/tone2/00000000_nohash_9.wav"
mkdir "$work/tones/empty"
expect 0 data "$work/tones" --json
value 'len(problems) >= 4 and all({"file", "kind", "text"} <= set(p) for p in problems)'
value 'sum("deadbeef" in p["file"] for p in problems) >= 2'

# one class, none, not there
mkdir "$work/one"
cp -r "$work/tones/tone1" "$work/one/"
rm -f "$work/one/tone1/cafe0000_nohash_0.wav"
expect 3 train --data "$work/one" --net "$MN_SOURCE/tests/cli/tiny.net" --epochs 1 --out "$work/o" && one_line
[ -e "$work/o/model.tflite" ] && fail "a model of one class"
mkdir "$work/none"
expect 3 data "$work/none" && one_line
"$mn" data "$work/absent" >"$work/out" 2>"$work/err"
case $? in 1 | 3) one_line ;; *) fail "absent data: exit $?" ;; esac
head -c 1000 "$work/tones.tar" >"$work/cut.tar"
"$mn" data "$work/cut.tar" --json >"$work/out" 2>"$work/err"
case $? in 0 | 3) ;; *) fail "cut tar" ;; esac
expect 2 data && one_line
expect 2 data "$work/tones" --words yes && one_line
expect 2 data --data "$work/tones" --only-words && one_line

# options of spoken words: refused where they mean nothing, and a language with the known ones
expect 2 data --words ja,nein --only-words --language klingon && one_line && says err " de " && says err " fr "
expect 2 data "$work/tones" --language de && one_line
expect 2 data "$work/tones" --unknown-words a,b && one_line
expect 2 data --words ja,nein --unknown-words ja && one_line && says err "one of --words"
finish

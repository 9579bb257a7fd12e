#!/bin/sh
# Wrong command lines: exit 2 and one line that helps.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"

expect 2 trian && one_line && says err 'did you mean "train"?'
expect 2 frobnicate && one_line && says err "unknown command"
expect 2 train --epoch 3 && one_line && says err "did you mean --epochs?"
expect 2 train --epochs && one_line && says err "expected E"
expect 2 train --epochs many && one_line && says err 'found "many"; expected a whole number'
expect 2 train --data . --net x.net --quantize-from 1 && one_line && says err "expected less than 1"
expect 2 train --epochs -5 && one_line
expect 2 train --epochs 5 --epochs 6 && one_line && says err "given twice"
expect 2 train --learning-rate nan && one_line
expect 2 train stray && one_line && says err 'found "stray"'
expect 2 eval && one_line && says err "MODEL.tflite"
expect 2 eval m.tflite --split half && one_line && says err "train|val|test|all"
expect 2 report && one_line
expect 2 train -x && one_line && says err "-x: unknown option"
expect 2 inspect m.tflite --threads 100000 && one_line

# not built yet: named, never ignored
expect 2 characterize --count 5 && one_line && says err "not built yet"
expect 2 train --net a.net --average 2 && one_line && says err "--average"

# help goes to standard output, misuse to standard error
expect 0 --help && says out "Commands:"
expect 0 train --help && says out "micronets train --data" && says out "--epochs"
expect 0 train -h
expect 0 help eval && says out "--split"
expect 0 help --json && value 'command == "help" and "Commands:" in text'
expect 0 help eval --json && value '"--split" in text'
expect 2 help evil --json && one_line
expect 2 train --help --json && one_line && [ ! -s "$work/out" ] || fail "help beside --json"
expect 2 train --print-config --json && one_line
expect 2 search --epochs 4294967297 --space a.net --target mps2-an386 --budget ops=1M --data . && one_line && says err "expected 0 to 100000"
expect 2 build --epochs 0 --data . --target mps2-an386 --budget ops=1M --out "$work/never" && one_line && says err "--epochs"
expect 2 build --name 9x --data . --target mps2-an386 --budget ops=1M --out "$work/never" && one_line && says err "9x"
sed 's/^kernels = .*/kernels = foo/' "$MN_SOURCE/targets/mps2-an386.ini" >"$work/foo.ini"
expect 3 inspect "$MN_SOURCE/networks/digits.net" --target "$work/foo.ini" && one_line && says err 'found "foo"'
expect 2 && says err "Usage:"
expect 0 --version && says out "$("$mn" version | sed -n 's/^version *//p')"
"$mn" train --help | head -1 | grep -q '^Example' || fail "help does not begin with an example"

# a config file: same names, file before flags, errors with their line
cat >"$work/good.conf" <<'CONF'
# for all commands
seed = 7
[train]
epochs = 12 ; and a remark
learning-rate = 0.01
[search]
epochs = 99
CONF
expect 0 train --config "$work/good.conf" --epochs 5 --print-config
says out "epochs = 5 ; flag"
says out "learning-rate = 0.01 ; file"
says out "seed = 7 ; file"
says out "batch = 100 ; default"
cp "$work/out" "$work/again.conf"
expect 0 train --config "$work/again.conf" --print-config
says out "epochs = 5 ; file"
printf '[train]\nepochs = 3\nepoch = 4\n' >"$work/bad.conf"
expect 2 train --config "$work/bad.conf" && one_line && says err 'bad.conf:3: unknown key "epoch"; did you mean "epochs"?'
printf '[train]\nepochs = 3\nepochs = 4\n' >"$work/bad.conf"
expect 2 train --config "$work/bad.conf" && one_line && says err "bad.conf:3"
printf 'epochs = x\n' >"$work/bad.conf"
expect 2 train --config "$work/bad.conf" && one_line && says err "bad.conf:1"
printf '[trains]\nepochs = 3\n' >"$work/bad.conf"
expect 2 train --config "$work/bad.conf" && one_line && says err "[trains]"
printf 'words\n' >"$work/bad.conf"
expect 2 train --config "$work/bad.conf" && one_line && says err "bad.conf:1"
# what a file could not hold is not printed into one
expect 2 train --words "$(seq -s, 100)" --print-config && one_line && says err "found a line of" && [ ! -s "$work/out" ] ||
  fail "a configuration that does not read back"
expect 2 train --config "$work/absent.conf" && one_line && says err "absent.conf"
finish

#!/bin/sh
# eval --raw on stored input tensors: MLPerf's 1000 keywords with its reference model. 901 of 1000 is
# what TFLite Micro itself gets with the same int8 file.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
[ -d "${MN_SHARED:-}/vectors/kws01" ] || { echo 'skipped: development data ($MN_SHARED) is absent'; exit 77; }
model=$MN_SHARED/golden/mlcommons_kws_ref_model/mlcommons_kws_ref_model.tflite
vectors=$MN_SHARED/vectors/kws01

expect 0 eval "$model" --raw "$vectors" --labels "$vectors/y_labels.csv" --json || finish
value 'items == 1000 and accuracy == 0.901 and threshold is None'
value 'sum(map(sum, confusion)) == 1000 and sum(confusion[i][i] for i in range(12)) == 901'
cp "$work/out" "$work/first"

# the model's own quantization, said, changes nothing; a coarser one than stored does
expect 0 eval "$model" --raw "$vectors" --labels "$vectors/y_labels.csv" --raw-scale 0.5847029,83 --json
value 'accuracy == 0.901'
expect 0 eval "$model" --raw "$vectors" --labels "$vectors/y_labels.csv" --raw-scale 0.29,83 --json
value 'accuracy < 0.85'
for scale in 0.58 0.58, ,83 0,83 0.58,200 0.58,83x -1,0 nan,0; do
  expect 2 eval "$model" --raw "$vectors" --labels "$vectors/y_labels.csv" --raw-scale $scale && one_line
done
expect 2 eval "$model" --data "$vectors" --raw-scale 0.58,83 && one_line

# as many threads as one likes: the same counts
expect 0 eval "$model" --raw "$vectors" --labels "$vectors/y_labels.csv" --json --threads 1
python3 - "$work/first" "$work/out" <<'PY' || fail "counts depend on the number of threads"
import json, sys
a, b = (json.load(open(path)) for path in sys.argv[1:])
sys.exit(0 if a["confusion"] == b["confusion"] else 1)
PY

# trouble is one line and exit 3
echo "tst_000000_Stop_7.bin,12,12" >"$work/outside.csv"
expect 3 eval "$model" --raw "$vectors" --labels "$work/outside.csv" && one_line && says err 'outside.csv:1: found class "12"'
echo "missing.bin,12,1" >"$work/missing.csv"
"$mn" eval "$model" --raw "$vectors" --labels "$work/missing.csv" >/dev/null 2>"$work/err" && fail "a missing tensor was no trouble"
one_line
head -c 100 "$vectors/tst_000000_Stop_7.bin" >"$work/short.bin"
echo "short.bin,12,1" >"$work/short.csv"
expect 3 eval "$model" --raw "$work" --labels "$work/short.csv" && one_line
: >"$work/empty.csv"
expect 3 eval "$model" --raw "$work" --labels "$work/empty.csv" && one_line
head -c 20000 "$model" >"$work/cut.tflite"
expect 3 eval "$work/cut.tflite" --raw "$vectors" --labels "$vectors/y_labels.csv" && one_line && says err "cut.tflite: offset"
finish

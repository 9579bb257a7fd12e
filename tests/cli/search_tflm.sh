#!/bin/sh
# A budget for TFLite Micro: what search promises, the trained file and its arena keep to the byte.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
python3 "$MN_SOURCE/tests/cli/make_tones.py" "$work/tones" 3 6 2
cat >"$work/small.net" <<'NET'
input 49x10x1 mfcc rate 16kHz length 1s window 40ms step 20ms mels 40 from 20Hz to 4000Hz keep 10
conv 10x4 {4 8 12 16} stride 2
ds 3x3 {4 8 12 16} stride 2
ds 3x3 {4 8 12 16} optional
pool avg
conv 1x1 classes=3
flatten
NET
data="--data $work/tones --cache $work/cache --progress lines"

expect 0 search $data --space "$work/small.net" --target mps2-an386 --runtime tflm --epochs 2 \
  --budget flash=60K,sram=12K --out "$work/a" --json || finish
value 'budget_met and best["flash"] <= 60 * 1024 and best["sram"] <= 12 * 1024'
cp "$work/out" "$work/promise"
expect 0 train $data --net "$work/a/arch.net" --epochs 1 --out "$work/a/model.tflite" --json || finish
expect 0 inspect "$work/a/model.tflite" --runtime tflm --target mps2-an386 --json || finish
python3 - "$work/promise" "$work/out" "$work/a/model.tflite" <<'PY' || fail "the promise is not what came"
import json, os, sys
promise, model = (json.load(open(path)) for path in sys.argv[1:3])
size = os.path.getsize(sys.argv[3])
print("promised flash %d, sram %d; file %d, flash %d, sram %d" % (
    promise["best"]["flash"], promise["best"]["sram"], size, model["flash"]["total"], model["sram"]["total"]))
same = promise["best"]["flash"] == model["flash"]["total"] and promise["best"]["sram"] == model["sram"]["total"]
sys.exit(0 if same and model["tflm"]["model_bytes"] == size else 1)
PY
expect 4 search $data --space "$work/small.net" --target mps2-an386 --runtime tflm --budget flash=40K --out "$work/b"
says err "small.net:2: the budget flash=40960 cannot be met"
finish

#!/bin/sh
# Anomaly scores of the firmware on an emulated Cortex-M4, from samples on: the host's area under the curve,
# on bands (no network) and on the embedding.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/sim/lib.inc"
python3 "$MN_SOURCE/tests/cli/make_machines.py" "$work/slider" 3 16 3
for score in bands embedding; do
  "$MICRONETS" train --data "$work/slider" --net "$MN_SOURCE/tests/cli/machines.net" --epochs 8 --batch 16 \
    --warmup-epochs 1 --score $score --cache "$work/cache" --out "$work/$score" --quiet >/dev/null || exit 1
  "$MICRONETS" eval "$work/$score/model.tflite" --data "$work/slider" --quiet --json >"$work/host.json" || exit 1
  python3 "$MN_SOURCE/bench/anomaly/emulated_auc.py" "$work/$score/model.tflite" "$work/slider" >"$work/core.json" ||
    exit 1
  python3 - "$work/host.json" "$work/core.json" $score <<'PY' || failures=$((failures + 1))
import json, sys
host, core = (json.load(open(name)) for name in sys.argv[1:3])
print("%s: host %.6f, emulated M4 %.6f, %d recordings" % (sys.argv[3], host["auc"], core["auc"], core["items"]))
same = all(abs(host["score_mean"][k] - core["score_mean"][k]) < 1e-6 * core["score_mean"][k] for k in core["score_mean"])
sys.exit(not same or abs(host["auc"] - core["auc"]) > 1e-9 or host["items"] != core["items"])
PY
done
finish

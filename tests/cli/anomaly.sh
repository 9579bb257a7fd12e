#!/bin/sh
# Anomaly detection from a made-up archive of DCASE's layout to firmware that scores: data, train, eval,
# run, compile; an auto-encoder; a search.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
net=$MN_SOURCE/tests/cli/machines.net
python3 "$MN_SOURCE/tests/cli/make_machines.py" "$work/slider" 4 24 6
tar -C "$work" -cf "$work/slider.tar" slider
data="--data $work/slider.tar --cache $work/cache"

expect 0 data "$work/slider.tar" --json
value 'task == "ad" and classes == ["id_00", "id_02", "id_04", "id_06"] and splits["test"]["items"] == 48'

expect 0 train $data --net "$net" --epochs 30 --batch 16 --warmup-epochs 1 --out "$work/a" --json || finish
value 'metric == "auc" and int8["test"] > 0.9 and int8["val"] > 0.9'
expect 0 eval "$work/a/model.tflite" $data --json
keys "split items auc auc_per_id.id_00 auc_per_id.id_06 auc_by_score.probability auc_by_score.embedding auc_by_score.bands threshold recall false_accepts"
value 'auc > 0.9 and windows == 48 * 4 and anomalous == 24 and auc_by_score["bands"] > 0.95'

expect 0 run "$work/a/model.tflite" "$work/slider/test/normal_id_02_00000001.wav" \
  "$work/slider/test/anomaly_id_02_00000001.wav" --json
value 'len(scores) == 4 and inputs[0]["windows"] == 4 and inputs[1]["score"] > inputs[0]["score"]'

# a score that the network cannot give; normal recordings alone: trained, without a figure of the test split
expect 2 train $data --net "$net" --epochs 1 --score reconstruction --out "$work/x" && says err "is a classifier"
mkdir "$work/quiet" && cp -r "$work/slider/train" "$work/quiet"
expect 0 train --data "$work/quiet" --net "$net" --epochs 2 --batch 16 --warmup-epochs 0 --seeds 2 --out "$work/q" --json
value 'int8["test"] is None and mean is None and sd is None and int8["val"] is not None'
expect 3 eval "$work/q/model.tflite" --data "$work/quiet" && says err "no example in split test"
expect 0 eval "$work/q/model.tflite" --data "$work/quiet" --split all --json

# bands alone: the same file judged by another score
expect 0 train $data --net "$net" --epochs 2 --batch 16 --warmup-epochs 0 --score bands --out "$work/b" --json
value 'int8["test"] > 0.95'

# taken to another place: means from its normal recordings, everything else as it was
mkdir -p "$work/site/normal"
for i in 0 1 2 3; do cp "$work/slider/test/normal_id_04_0000000$i.wav" "$work/site/normal/id_04_000$i.wav"; done
expect 0 eval "$work/b/model.tflite" --data "$work/site" --split all --recalibrate "$work/moved.tflite" --json
value 'recalibrated_states == 1 and score_mean["normal"] > 0 and auc is None'
before=$(python3 -c "import json; print(json.load(open('$work/out'))['score_mean']['normal'])")
[ "$(wc -c <"$work/moved.tflite")" = "$(wc -c <"$work/b/model.tflite")" ] || fail "the moved model has another size"
expect 0 eval "$work/moved.tflite" --data "$work/site" --split all --json
value "score_mean['normal'] < $before"

# the firmware's own words; it compiles alone
expect 0 compile "$work/b/model.tflite" --target mps2-an386 --name pump --out "$work/fw" --json
# its tables and its vector are in the price, of inspect and of compile
cp "$work/out" "$work/compiled"
bytes=$(sed -n 's/.*PUMP_ARENA_BYTES = \([0-9]*\).*/\1/p' "$work/fw/model.h")
value "sram['arena'] + sram['features'] == $bytes"
expect 0 inspect "$work/b/model.tflite" --target mps2-an386 --json
python3 - "$work/compiled" "$work/out" <<'CHECK' || fail "inspect and compile disagree about a detector"
import json, sys
compiled, seen = (json.load(open(name)) for name in sys.argv[1:])
sys.exit(0 if all(compiled[k] == seen[k] for k in ("sram", "flash")) else 1)
CHECK
limit=$(python3 -c "import json; print(json.load(open('$work/out'))['sram']['total'])")
expect 0 inspect "$work/b/model.tflite" --target mps2-an386 --max-sram "$limit"
for word in pump_score pump_site_clear pump_site_add pump_score_threshold PUMP_SITE_WORDS; do
  grep -q "$word" "$work/fw/model.h" || fail "model.h has no $word"
done
cat >"$work/fw/score.c" <<'C'
#include <stdio.h>
#include "model.h"
static uint8_t arena[PUMP_ARENA_BYTES] __attribute__((aligned(16)));
int main(void) {
  int16_t frame[2];
  int32_t site[PUMP_SITE_WORDS];
  pump_init(arena);
  while (fread(frame, sizeof frame, 1, stdin) == 1) {
    if (!pump_feed(arena, frame, 1)) continue;
    int32_t trained = pump_score(arena, 1, 0);
    pump_site_clear(site, 1);
    pump_site_add(arena, site);
    printf("%d %d\n", (int)trained, (int)pump_score(arena, 1, site));
  }
  return 0;
}
C
if cc -O1 -iquote "$work/fw" -o "$work/score" "$work/fw/score.c" $(ls "$work/fw"/*.c | grep -v -e golden_test -e 'fw/score.c') \
  >"$work/err" 2>&1; then
  for kind in normal anomaly; do
    tail -c +45 "$work/slider/test/${kind}_id_02_00000001.wav" | "$work/score" >"$work/$kind"
    [ "$(wc -l <"$work/$kind")" = 4 ] || fail "$kind: $(wc -l <"$work/$kind") windows instead of 4"
  done
  expect 0 run "$work/b/model.tflite" "$work/slider/test/anomaly_id_02_00000001.wav" --json
  mean=$(awk '{ sum += $1 } END { printf "%.6f", sum / NR / 256 }' "$work/anomaly")
  value "abs(scores[1] - $mean) < 1e-4"
  awk '$2 != 0 { exit 1 }' "$work/anomaly" || fail "a site's only vector is not at its mean"
else
  fail "the firmware does not compile: $(head -5 "$work/err")"
fi

# an auto-encoder, and a machine that training never showed
cat >"$work/ae.net" <<'N'
input spectrum rate 1kHz window 128ms step 128ms bands 32 from 0Hz to 500Hz frames 2 channels 2
default relu
fc 32
fc 8
fc 32
fc 128
N
expect 0 train $data --net "$work/ae.net" --epochs 20 --batch 16 --warmup-epochs 1 --out "$work/c" --json
value 'metric == "auc" and int8["test"] > 0.6'
expect 0 eval "$work/c/model.tflite" $data --json
value 'score == "reconstruction" and auc_by_score["reconstruction"] > 0.6 and auc_by_score["bands"] > 0.9'

# one machine is nothing to tell apart
mkdir -p "$work/one"
cp -r "$work/slider/test" "$work/one/test"
mkdir "$work/one/train"
cp "$work/slider/train/"*id_00* "$work/one/train"
expect 3 train --data "$work/one" --net "$net" --out "$work/d" --quiet && one_line
says err "training shows one machine"

cat >"$work/space.net" <<'N'
input spectrum rate 1kHz length 500ms window 128ms step 32ms bands 16 from 0Hz to 500Hz every 4 channels 2
conv 3x3 {4 8 12} stride 2
ds 3x3 {4 8 12} optional
pool avg
conv 1x1 classes=2
flatten
N
expect 0 search $data --space "$work/space.net" --target mps2-an386 --budget ops=400K --epochs 8 --out "$work/s" --json
value 'metric == "auc" and 0.5 < best["val"] <= 1 and budget_met'
expect 3 search --data "$work/one" --space "$work/space.net" --target mps2-an386 --budget ops=400K --out "$work/d" --quiet && one_line
says err "training shows one machine"
finish

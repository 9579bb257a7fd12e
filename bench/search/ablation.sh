#!/bin/sh
# What the parts of the search are worth: each variant of ablation.c, some seeds each, its network trained
# for some epochs from the weights of its own supernet. One line for each run in OUT/result.txt.
#   ablation.sh SPACE.net DATA CLASSES BUDGET OUT EPOCHS "SEED..." "VARIANT..." [TRAIN OPTION...]
# SPDX-License-Identifier: Apache-2.0
set -eu
space=$1 data=$2 classes=$3 budget=$4 out=$5 epochs=$6 seeds=$7 variants=$8
shift 8
[ $# -gt 0 ] || set -- --epochs 30
here=$(cd "$(dirname "$0")/../.." && pwd)
bench=${MN_BENCH:-$here/build/bench}
mkdir -p "$out"
for seed in $seeds; do
  for variant in $variants; do
    run=$out/$variant-$seed
    line=$("$bench/ablation" "$space" "$data" "$classes" "$budget" nucleo-f446re "$epochs" "$seed" "$variant" "$run")
    trained=$("$bench/micronets" train --data "$data" ${classes:+--classes "$classes"} --net "$run/arch.net" \
      --init "$run/supernet.ckpt" --out "$run/model.tflite" --cache "$out/cache" --seed "$seed" --threads 1 -q --json "$@" |
      python3 -c 'import json,sys; d=json.load(sys.stdin)["int8"]; print("int8_val=%.4f int8_test=%.4f" % (d["val"], d["test"]))')
    echo "$line $trained" | tee -a "$out/result.txt"
  done
done

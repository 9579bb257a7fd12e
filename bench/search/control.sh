#!/bin/sh
# Trains a searched network and random feasible ones of the same space alike, from scratch, and prints
# their int8 test accuracies and the difference to the median.
#   control.sh ARCH.net SPACE.net DATA BUDGET OUT [COUNT] [TRAIN OPTION...]
# SPDX-License-Identifier: Apache-2.0
set -eu
arch=$1 space=$2 data=$3 budget=$4 out=$5 count=${6:-8}
if [ $# -gt 6 ]; then shift 6; else set -- --epochs 60; fi
here=$(cd "$(dirname "$0")/../.." && pwd)
program=${MICRONETS:-$here/build/release/micronets}
draw=${RANDOM_NETWORKS:-$here/build/bench/random_networks}
mkdir -p "$out"
classes=$("$program" data "$data" --json -q | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["classes"]))')
"$draw" "$space" "$budget" "$count" 1 "$out" "classes=$classes" >"$out/networks.txt"
train_options=$*
accuracy() { # NETWORK NAME; the options are words without blanks
  # shellcheck disable=SC2086
  "$program" train --data "$data" --net "$1" --out "$out/$2" --cache "$out/cache" --json -q $train_options |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["int8"]["test"])'
}
echo "searched $(accuracy "$arch" searched)" | tee "$out/result.txt"
for i in $(seq "$count"); do
  echo "random-$i $(accuracy "$out/random-$i.net" "random-$i")" | tee -a "$out/result.txt"
done
python3 - "$out/result.txt" <<'PY'
import statistics, sys
rows = dict(line.split() for line in open(sys.argv[1]))
median = statistics.median(float(v) for k, v in rows.items() if k != "searched")
print(f"median of random {median:.4f}, searched minus median {100 * (float(rows['searched']) - median):+.2f} points")
PY

#!/bin/sh
# Trains a searched network and random feasible ones of the same space alike, from scratch, and prints
# their int8 test figures and the difference to the median. Any space and any task.
#   control.sh ARCH.net SPACE.net BUDGET OUT COUNT "TRAIN OPTION..." --data D [DATA OPTION...]
# TARGET=NAME   for budgets of flash, SRAM or time
# SET="NAME=VALUE..."  what the search had pinned, or chosen on the input line (input.size=96)
# SPDX-License-Identifier: Apache-2.0
set -eu
arch=$1 space=$2 budget=$3 out=$4 count=$5 train_options=$6
shift 6
here=$(cd "$(dirname "$0")/../.." && pwd)
program=${MICRONETS:-$here/build/release/micronets}
draw=${RANDOM_NETWORKS:-$here/build/bench/random_networks}
mkdir -p "$out"
classes=$("$program" data "$@" --cache "$out/cache" --json -q |
  python3 -c 'import json,sys; print(len(json.load(sys.stdin)["classes"]))')
# shellcheck disable=SC2086
"$draw" "$space" "$budget" "$count" 1 "$out" ${TARGET:-} "classes=$classes" ${SET:-} >"$out/networks.txt"
judge() { # NETWORK NAME --data D ...; the options are words without blanks
  network=$1 name=$2
  shift 2
  # shellcheck disable=SC2086
  "$program" train "$@" --net "$network" --out "$out/$name" --cache "$out/cache" --json -q $train_options |
    python3 -c 'import json,sys; print(sys.argv[1], json.load(sys.stdin)["int8"]["test"])' "$name"
}
judge "$arch" searched "$@" | tee "$out/result.txt"
for i in $(seq "$count"); do
  judge "$out/random-$i.net" "random-$i" "$@" | tee -a "$out/result.txt"
done
python3 - "$out/result.txt" <<'PY'
import statistics, sys
rows = dict(line.split() for line in open(sys.argv[1]))
median = statistics.median(float(v) for k, v in rows.items() if k != "searched")
print(f"median of random {median:.4f}, searched minus median {100 * (float(rows['searched']) - median):+.2f} points")
PY

# Random networks made here, and one with a front end, emitted and run on every emulated core: bits,
# memory, stack, flash.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.inc"
seed=1
for target in mps2-an385 mps2-an385-m3 mps2-an386 mps2-an500 mps2-an505 mps3-an547 nucleo-f446re rp2040; do
  bench "random:$seed" "$target"
  bench "random:$((seed + 50))" "$target"
  seed=$((seed + 1))
done
for target in mps2-an385 mps2-an385-m3 mps2-an386 mps3-an547; do
  bench "$MN_SOURCE/networks/mlperf_kws.net" "$target"
done
finish

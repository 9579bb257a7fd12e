#!/bin/sh
# The budgets of the MicroNets paper as commands: a search under the latency limit the paper names for the
# task, written as ops by the regression of its own table 4, and under the flash and SRAM of the board. Prints
# what was found beside the published network, priced alike, and beside what the paper printed.
#   paper.sh NAME OUT SEARCH_EPOCHS TRAIN_EPOCHS --data D [DATA OPTION...]
#     NAME           kws_s kws_m kws_l vww_s vww_m ad_s ad_m ad_l
#     SEARCH_EPOCHS  of the supernet; 0: what suits the data
#     TRAIN_EPOCHS   of both networks, from scratch, for their accuracy; 0: none
# SPDX-License-Identifier: Apache-2.0
set -eu
name=$1 out=$2 search_epochs=$3 train_epochs=$4
shift 4
here=$(cd "$(dirname "$0")/../.." && pwd)
program=${MICRONETS:-$here/build/release/micronets}

# space, board, limit on ops, what is pinned, published network, what the paper printed for it:
# Mops, flash KB, SRAM KB (TFLM, KB = 1000), accuracy or area under the curve in percent
case $name in
  kws_s) row="kws nucleo-f446re 13.4M - micronet_kws_s 16.4 102 53.2 95.3" ;; # 10 a second on the F746ZG
  kws_m) row="kws nucleo-f446re 35.9M - micronet_kws_m 30.6 163 103.3 95.8" ;; # 5 a second on the F746ZG
  kws_l) row="kws nucleo-f746zg 216M - micronet_kws_l 129 612 208.8 96.5" ;;   # one second
  vww_s) row="vww nucleo-f446re - 50 micronet_vww_2 5.3 230 69.5 78.1" ;;      # memory alone is named
  vww_m) row="vww nucleo-f746zg - 160 - 135.9 833 285.3 88.03" ;;              # layout never published
  ad_s) row="ad nucleo-f446re 47.6M - micronet_ad_s 37.5 253 114.2 95.35" ;;   # 640 ms on each board
  ad_m) row="ad nucleo-f746zg 134M - micronet_ad_m 124.7 464 274.5 96.05" ;;
  ad_l) row="ad nucleo-f767zi 139M - micronet_ad_l 129 442 383.7 97.28" ;;
  *) echo "paper.sh: no budget \"$name\"; kws_s kws_m kws_l vww_s vww_m ad_s ad_m ad_l" >&2; exit 2 ;;
esac
read -r space board ops pixels published printed <<ROW
$row
ROW
of_board() { sed -n "s/^$1 *= *//p" "$here/targets/$board.ini"; }
budget=flash=$(of_board flash),sram=$(of_board sram)
[ "$ops" = - ] || budget=ops=$ops,$budget
mkdir -p "$out"
echo "$name: $budget on $board"
if [ "$pixels" != - ]; then pins="--set input.size=$pixels --set input.colour=grey"; else pins=; fi
# shellcheck disable=SC2086
"$program" search "$@" --space "$here/spaces/$space.net" --target "$board" --budget "$budget" $pins \
  --epochs "$search_epochs" --cache "$out/cache" --out "$out/search" --json -q >"$out/search.out"

judge() { # NAME NETWORK --data D ...: its prices, and its accuracy where training is asked for
  run=$1 network=$2
  shift 2
  "$program" inspect "$network" --target "$board" --json -q >"$out/$run.inspect.json"
  [ "$train_epochs" = 0 ] || "$program" train "$@" --net "$network" --epochs "$train_epochs" \
    --cache "$out/cache" --out "$out/$run" --json -q >"$out/$run.train.json"
}
judge found "$out/search/arch.net" "$@"
[ "$published" = - ] || judge published "$here/networks/$published.net" "$@"
python3 "$here/bench/search/paper_table.py" "$out" "$published" $printed

# The shipped cycle table against layers that it was not fitted to: the mean error of a kernel stays
# within 10 %, and no layer is further off than 40 %.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.inc"
made_here cycle_table.c

check() {
  if ! "$tools/cycle_table" "$work/layers" "$1" "$2" 7 >"$work/out"; then
    failures=$((failures + 1))
    return
  fi
  cat "$work/out"
  awk -v RS=' ' -F= '/^mean/ && $2 > 10 {bad = 1} /^worst/ && $2 > 40 {bad = 1} END {exit bad}' "$work/out" && return
  echo "FAILED: the row of $2 is off; run scripts/cycle_table.sh and build again"
  failures=$((failures + 1))
}

check mps2-an386 mn_conv_2d_s8_ref
check mps2-an386 mn_conv_2d_1x1_s8_dsp
check mps2-an386 mn_depthwise_3x3_s8_dsp
check mps2-an386 mn_depthwise_conv_2d_s8_ref
check mps2-an386 mn_svdf_s8_s16_ref
finish

# Kernels of the families mve, plain and m0 on emulated cores: small random networks, and public int8
# models where development data is there. Every bit right, every promise of the price kept.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.inc"
for seed in 201 202 203 204 205 206; do bench "random:$seed" mps3-an547; done
for seed in 211 212; do bench "random:$seed" mps2-an385-m3; done
for seed in 221 222; do bench "random:$seed" mps2-an385; done
golden=$MN_SHARED/golden
if [ -d "$golden" ]; then
  for model in mlcommons_kws_ref_model mlcommons_pretrainedResnet_quant mlcommons_vww_96_int8; do
    bench "$golden/$model/$model.tflite" mps3-an547 "$golden/$model"
  done
  model=mlcommons_kws_ref_model
  for target in mps2-an385-m3 mps2-an385; do
    bench "$golden/$model/$model.tflite" "$target" "$golden/$model"
  done
fi
finish

# Public int8 models on an emulated Cortex-M4: every vector, every tensor, against stored checksums.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.inc"
golden=$MN_SHARED/golden
if [ ! -d "$golden" ]; then
  echo "skipped: development data (\$MN_SHARED) is absent"
  exit 77
fi
for model in mlcommons_kws_ref_model tflm_micro_speech_quantized ds_cnn_s_quantized kws_micronet_s \
  mlcommons_pretrainedResnet_quant mlcommons_ad01_int8 ds_cnn_s_quantized_int16 tflm_keyword_scrambled; do
  bench "$golden/$model/$model.tflite" mps2-an386 "$golden/$model"
done
bench "$golden/int4/int4_ad01_f/int4_ad01_f.tflite" mps2-an386 "$golden/int4/int4_ad01_f"
# the same in the least memory: rows that exist only in slabs are checked by their checksums
for model in mlcommons_kws_ref_model kws_micronet_m mlcommons_pretrainedResnet_quant; do
  bench "$golden/$model/$model.tflite" mps2-an386 "$golden/$model" min-sram
done
# and the fewest cycles within a limit of bytes
bench "$golden/kws_micronet_m/kws_micronet_m.tflite" mps2-an386 "$golden/kws_micronet_m" 40960
finish

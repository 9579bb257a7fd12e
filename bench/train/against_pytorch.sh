#!/bin/sh
# Training steps, ours against PyTorch {eager, compile} x {contiguous, channels_last}: DS-CNN-S and -L, the
# supernet of spaces/kws.net, MobileNetV2 0.35 at 96 px; DS-CNN with fake quantization to 8 bits too. Ours
# with products in float32, bf16 and int16, PyTorch in float32 and under bf16 autocast, each beside each:
#
#   sh bench/train/against_pytorch.sh [ROUNDS [clock|cpu [NETWORK ...]]]
#
# On a quiet machine: two threads, by the clock. With "cpu": one thread, processor time; that is what can
# be measured beside other work, where the spinning threads of PyTorch collapse. NETWORK: DS-CNN-S,
# DS-CNN-L, supernet, MobileNetV2; all without.
# Builds the bench programs, makes a virtual environment of its own under build/ (PyTorch is about
# 5 GB) and runs all variants in turns. MN_TORCH_PYTHON names a Python that has PyTorch already. What
# PyTorch compiles is kept under build/, so that the next run starts faster.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."
cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=Release -DMN_BENCH=ON -DMN_TESTS=OFF > /dev/null
cmake --build build/bench --target train_speed > /dev/null
python=${MN_TORCH_PYTHON:-build/bench-venv/bin/python3}
if [ -z "${MN_TORCH_PYTHON:-}" ] && [ ! -x "$python" ]; then
  python3 -m venv build/bench-venv
  build/bench-venv/bin/pip install --quiet torch numpy
fi
export TORCHINDUCTOR_CACHE_DIR="$PWD/build/bench-inductor"
rounds=${1:-7} clock=${2:-clock}
[ $# -gt 2 ] && shift 2 || set --
exec "$python" bench/train/against_pytorch.py build/bench/train_speed "$rounds" "$clock" "$@"

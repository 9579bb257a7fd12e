# What we write runs elsewhere: models of our own run in TFLite Micro and in LiteRT, and agree but for
# the rounding in which the two differ.
# SPDX-License-Identifier: Apache-2.0
import os
import tempfile

import numpy as np

import oracle


def check_own(name, content, rng):
    kernels = "builtin" if name == "int4" else "reference"  # its reference kernels know no int4
    lite = oracle.Lite(content, kernels)
    micro = oracle.Micro(content)
    worst = 0
    for _ in range(20):
        # state: LiteRT is made anew where a model has some
        if name == "svdf":
            lite = oracle.Lite(content, kernels)
        raws = [rng.integers(0, 256, int(np.prod(d["shape"])) * np.dtype(d["dtype"]).itemsize, dtype=np.uint8).tobytes() for d in lite.inputs]
        theirs = lite.run_all(raws)
        ours = micro.run_all(raws, len(theirs))
        for a, b in zip(ours, theirs):
            oracle.check(a.shape == b.shape, "%s: shapes differ" % name)
            oracle.check(a.std() > 0 or name != "conv", "%s: a constant output proves nothing" % name)
            worst = max(worst, int(np.abs(a.astype(np.int64) - b.astype(np.int64)).max()))
    limit = 64 if lite.outputs[0]["dtype"] == np.int16 else 3
    oracle.check(worst <= limit, "%s: TFLM and LiteRT differ by %d" % (name, worst))
    print("%s: own model, %d bytes, TFLM and LiteRT differ by at most %d" % (name, len(content), worst))


def check_own_models(folder):
    rng = np.random.default_rng(1)
    for name in oracle.run([oracle.tool("tflite_make"), folder]).split():
        with open(os.path.join(folder, name + ".tflite"), "rb") as file:
            check_own(name, file.read(), rng)


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_own_models(folder)


main()

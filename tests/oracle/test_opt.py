# Cleaned-up models in TFLite Micro: every golden model after micronets opt gives its stored outputs there
# too; opt is a fixpoint on its own files.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import tempfile

import oracle

# Kernels of int16 and int4 are plain C on the host: few made inputs keep the test short.
INPUTS = "4"


def opt(source, target):
    micronets = os.path.join(oracle.BINARY, "micronets")
    out = oracle.run([micronets, "opt", source, "--out", target, "--inputs", INPUTS, "--json", "--quiet"])
    return json.loads(out)


def check_model(golden, folder):
    target = os.path.join(folder, "small.tflite")
    result = opt(golden.path, target)
    with open(target, "rb") as file:
        model = file.read()
    ours = oracle.Micro(model)
    vectors = list(golden.vectors())
    for name, given, expected in vectors:
        oracle.check(ours.run(given) == expected, "%s: TFLM's output of %s changed" % (golden.name, name))
    oracle.check(result["mismatches"] == 0, golden.name + ": mismatches")
    oracle.check(result["bytes_after"] == len(model), golden.name + ": bytes_after is not the file's size")
    again = opt(target, os.path.join(folder, "again.tflite"))
    oracle.check(sum(p["removed"] for p in again["passes"]) == 0, golden.name + ": a second run found more")
    removed = {p["name"]: p["removed"] for p in result["passes"] if p["removed"]}
    print("%s: %d vectors, MACs %d -> %d %s" % (golden.name, len(vectors), result["macs_before"],
                                                result["macs_after"], removed or ""))
    return result["macs_before"] - result["macs_after"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        saved = [check_model(golden, folder) for golden in oracle.goldens()]
    oracle.check(len(saved) == 24 and sum(saved) > 3600000, "expected 24 models and 3.6 M fewer MACs")


main()

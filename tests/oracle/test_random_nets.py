"""Random networks of ours against the tflite-micro package: every op's output, in the reference and
the host's kernels. Makes its own models; needs no development data.
SPDX-License-Identifier: Apache-2.0"""
import collections
import os
import subprocess
import sys
import tempfile

import numpy
from tflite_micro import runtime

NETS = int(os.environ.get("MN_RANDOM_NETS", "400"))
FIRST = int(os.environ.get("MN_RANDOM_FIRST", "1000"))
FAMILIES = ("ref", "host", "avx2")


def operators(model):
    """(op name, output tensor) of every operator, in order."""
    parsed = runtime.convert_bytearray_to_object(model)
    names = {value: name for name, value in vars(runtime.schema_fb.BuiltinOperator).items()
             if isinstance(value, int)}
    codes = [names[runtime.get_builtin_code_from_operator_code(code)] for code in parsed.operatorCodes]
    return [(codes[op.opcodeIndex], op.outputs[0]) for op in parsed.subgraphs[0].operators]


def check(folder, seed, seen):
    """Number of outputs that differ."""
    path = os.path.join(folder, "net%d." % seed)
    model = open(path + "tflite", "rb").read()
    interpreter = runtime.Interpreter.from_bytes(
        model, arena_size=1 << 22, intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors)
    shape = interpreter.get_input_details(0)["shape"]
    interpreter.set_input(numpy.fromfile(path + "in", numpy.int8).reshape(shape), 0)
    interpreter.invoke()
    got = {family: numpy.fromfile(path + family, numpy.int8) for family in FAMILIES}
    offset = wrong = 0
    for index, (name, tensor) in enumerate(operators(model)):
        truth = interpreter.GetTensor(tensor, 0)["tensor_data"].reshape(-1)
        seen[name] += 1
        for family in FAMILIES:
            mine = got[family][offset:offset + truth.size]
            if mine.size == truth.size and (mine == truth).all():
                continue
            wrong += 1
            print("seed %d op %d %s %s: %d of %d values differ" % (
                seed, index, name, family, int((mine != truth).sum()), truth.size))
        offset += truth.size
    return wrong


def main():
    seen = collections.Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        tool = os.path.join(os.environ["MN_BINARY"], "tests", "random_nets")
        subprocess.run([tool, folder, str(FIRST), str(NETS)], check=True)
        for seed in range(FIRST, FIRST + NETS):
            wrong += check(folder, seed, seen)
    print("%d networks, %d ops x %d families (%s): %d mismatches" % (
        NETS, sum(seen.values()), len(FAMILIES),
        ", ".join("%s %d" % item for item in sorted(seen.items())), wrong))
    return 1 if wrong or len(seen) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())

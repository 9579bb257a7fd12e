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

# networks of each kind: int8; int16 activations; int4 weights; uint8 at both ends; SVDF,
# several inputs in a row
KINDS = {"s8": int(os.environ.get("MN_RANDOM_NETS", "400")), "s16": 160, "s4": 100, "u8": 40, "svdf": 100}
FIRST = int(os.environ.get("MN_RANDOM_FIRST", "1000"))
FAMILIES = ("ref", "host", "avx2")


def operators(model):
    """(op name, output tensor) of every operator, in order."""
    parsed = runtime.convert_bytearray_to_object(model)
    names = {value: name for name, value in vars(runtime.schema_fb.BuiltinOperator).items()
             if isinstance(value, int)}
    codes = [names[runtime.get_builtin_code_from_operator_code(code)] for code in parsed.operatorCodes]
    return [(codes[op.opcodeIndex], op.outputs[0]) for op in parsed.subgraphs[0].operators]


def check(folder, seed, kind, seen):
    """Number of outputs that differ."""
    path = os.path.join(folder, "net%d." % seed)
    model = open(path + "tflite", "rb").read()
    interpreter = runtime.Interpreter.from_bytes(
        model, arena_size=1 << 22, intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors)
    details = interpreter.get_input_details(0)
    inputs = numpy.fromfile(path + "in", details["dtype"]).reshape((-1,) + tuple(details["shape"]))
    got = {family: open(path + family, "rb").read() for family in FAMILIES}
    offset = wrong = 0
    for values in inputs:
        interpreter.set_input(values, 0)
        interpreter.invoke()
        for index, (name, tensor) in enumerate(operators(model)):
            truth = interpreter.GetTensor(tensor, 0)["tensor_data"].tobytes()
            seen[kind + " " + name] += 1
            for family in FAMILIES:
                if got[family][offset:offset + len(truth)] == truth:
                    continue
                wrong += 1
                print("%s seed %d op %d %s %s: differs" % (kind, seed, index, name, family))
            offset += len(truth)
    return wrong


def main():
    wrong = 0
    for kind, nets in KINDS.items():
        seen = collections.Counter()
        with tempfile.TemporaryDirectory() as folder:
            tool = os.path.join(os.environ["MN_BINARY"], "tests", "random_nets")
            subprocess.run([tool, folder, str(FIRST), str(nets), kind], check=True)
            bad = sum(check(folder, seed, kind, seen) for seed in range(FIRST, FIRST + nets))
        print("%d networks, %d ops x %d families (%s): %d mismatches" % (
            nets, sum(seen.values()), len(FAMILIES),
            ", ".join("%s %d" % item for item in sorted(seen.items())), bad))
        wrong += bad + (len(seen) < (3 if kind == "svdf" else 8))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

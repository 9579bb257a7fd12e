# TFLM's arena head, as our planner computes it, against the tflite-micro package: random networks of
# ours and, where the development data is there, every golden model. The package has the reference
# kernels; CMSIS-NN's numbers are the unit test's.
# SPDX-License-Identifier: Apache-2.0
import glob
import os
import re
import subprocess
import sys
import tempfile

import oracle

NETS = 150


def print_heads(paths):
    """In a process of its own: the interpreter prints past Python."""
    from tflite_micro import runtime

    for path in paths:
        with open(path, "rb") as file:
            interpreter = runtime.Interpreter.from_bytes(file.read(), arena_size=8 << 20)
        interpreter.print_allocations()


def recorded_heads(paths):
    done = subprocess.run([sys.executable, __file__, "--print"] + paths, capture_output=True, text=True, check=True)
    heads = re.findall(r"Arena allocation head (\d+) bytes", done.stdout + done.stderr)
    oracle.check(len(heads) == len(paths), "%d heads for %d files" % (len(heads), len(paths)))
    return [int(head) for head in heads]


def main():
    with tempfile.TemporaryDirectory() as folder:
        oracle.run([oracle.tool("random_nets"), folder, "5000", str(NETS), "s8"])
        oracle.run([oracle.tool("tflite_make"), folder])
        paths = sorted(glob.glob(os.path.join(folder, "*.tflite")))
        if os.path.isdir(os.path.join(oracle.SHARED, "golden")):
            paths += [golden.path for golden in oracle.goldens()]
        ours = [int(line) for line in oracle.run([oracle.tool("tflm_head")] + paths).split()]
        wrong = [(p, a, b) for p, a, b in zip(paths, ours, recorded_heads(paths)) if a != b]
        for path, a, b in wrong:
            print("%s: %d, recorded %d" % (os.path.basename(path), a, b))
        print("%d files, %d heads differ" % (len(paths), len(wrong)))
        oracle.check(len(paths) >= NETS + 6 and not wrong, "heads differ")


if sys.argv[1:2] == ["--print"]:
    print_heads(sys.argv[2:])
else:
    main()

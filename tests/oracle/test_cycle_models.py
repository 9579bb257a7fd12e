# Modelled cycles of the Cortex-M4 and M7, as bench prints them, against other programs' totals from the
# same program file and the same counts: within 0.5 %.
# SPDX-License-Identifier: Apache-2.0
import importlib.util
import json
import os
import shutil
import sys
import tempfile

import oracle

MODEL = "mlcommons_kws_ref_model"
WHOLE = "1"  # region of one inference


def load(name, module):
    path = os.path.join(oracle.SHARED, "prototypes", name)
    if not os.path.exists(path):
        oracle.skip(name + " is absent")
    spec = importlib.util.spec_from_file_location(module, path)
    sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[module])
    return sys.modules[module]


def rewrite_counts(path, to):
    """Regions get a sequence number in front of their own."""
    with open(path) as file, open(to, "w") as out:
        keep = False
        for line in file:
            words = line.split()
            if words[0] == "R":
                keep = words[1] == WHOLE
                line = "R 0 %s %s\n" % (words[1], words[2])
            if keep and words[0] in "RC":
                out.write(line)


def bench(target, folder):
    golden = [g for g in oracle.goldens() if g.name == MODEL][0]
    text = oracle.run([os.path.join(oracle.BINARY, "micronets"), "bench", golden.path, "--target", target, "--json", "--out", folder])
    rewrite_counts(os.path.join(folder, "plain.elf.counts"), os.path.join(folder, "counts"))
    return json.loads(text), os.path.join(folder, "plain.elf"), os.path.join(folder, "counts")


def main():
    oracle.need_shared()
    for program in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(program) is None:
            oracle.skip(program + " is absent")
    m4 = load("m4_cycles.py", "ana")
    m7 = load("m7_cycles.py", "m7")
    with tempfile.TemporaryDirectory() as folder:
        for target in ("mps2-an386", "mps2-an500"):
            ours, elf, counts = bench(target, os.path.join(folder, target))
            regions, text = m4.analyse(elf, counts)
            theirs = regions[0]["cyc"] if target == "mps2-an386" else m7.m7(elf, regions[0], text)
            oracle.check(regions[0]["tot"] == ours["instructions"], "instructions differ")
            off = ours["cycles_modelled"] / theirs - 1
            print("%s: %d instructions, %.0f cycles, %.0f expected, %+.3f %%" % (target, ours["instructions"], ours["cycles_modelled"], theirs, 100 * off))
            oracle.check(abs(off) < 0.005, "cycles of %s are %+.2f %% off" % (target, 100 * off))


main()

# Every golden model, read by us and written back, gives the same outputs in TFLite Micro; our file is
# not larger, is a fixpoint of reading and writing, and loads in LiteRT.
# SPDX-License-Identifier: Apache-2.0
import os
import tempfile

import oracle

# LiteRT has no integer kernels for these, whoever writes the file.
LITE_CANNOT = {"tflm_keyword_scrambled"}


def rewrite(source, folder, name):
    target = os.path.join(folder, name)
    oracle.run([oracle.tool("tflite_rewrite"), source, target])
    with open(target, "rb") as file:
        return target, file.read()


def check_model(golden, folder):
    first, content = rewrite(golden.path, folder, "first.tflite")
    _, again = rewrite(first, folder, "second.tflite")
    oracle.check(content == again, golden.name + ": writing what was read back gives other bytes")
    oracle.check(len(content) <= os.path.getsize(golden.path), golden.name + ": our file is larger")
    ours = oracle.Micro(content)
    vectors = list(golden.vectors())
    for name, given, expected in vectors:
        oracle.check(ours.run(given) == expected, "%s: TFLM's output of %s changed" % (golden.name, name))
    if golden.name not in LITE_CANNOT:
        oracle.Lite(content, "builtin").run(vectors[0][1])
    print("%s: %d vectors, %d of %d bytes" % (golden.name, len(vectors), len(content), os.path.getsize(golden.path)))


def main():
    goldens = oracle.goldens()
    oracle.check(len(goldens) == 24, "expected 24 golden models, found %d" % len(goldens))
    with tempfile.TemporaryDirectory() as folder:
        for golden in goldens:
            check_model(golden, folder)


main()

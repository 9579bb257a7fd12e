# oracle.py - what every oracle test shares: places, our small programs, TFLite Micro and LiteRT.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import sys

import numpy as np

SHARED = os.environ.get("MN_SHARED", "")
BINARY = os.environ.get("MN_BINARY", ".")
SOURCE = os.environ.get("MN_SOURCE", ".")


def skip(why):
    """Leaves with the exit code that ctest reads as skipped."""
    print("skipped: " + why)
    sys.exit(77)


def need_shared():
    if not os.path.isdir(os.path.join(SHARED, "golden")):
        skip("development data ($MN_SHARED) is absent")


def tool(name):
    """Path of one of the programs of tests/tools."""
    for folder in (os.path.join(BINARY, "tests"), BINARY):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    raise SystemExit("program %s was not built" % name)


def run(command, expect=0):
    """Runs a program; its standard output. Fails loudly where the exit code is another one."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != expect:
        raise AssertionError("%s: exit code %d, expected %d\n%s" % (" ".join(command), done.returncode, expect, done.stderr))
    return done.stdout


class Golden:
    """One model of the golden folder: its file, stored inputs and outputs."""

    def __init__(self, name, entry):
        self.name = name
        self.entry = entry
        folder = os.path.join(SHARED, "golden", entry["dir"])
        if not os.path.isdir(folder):
            folder = os.path.join(SHARED, "golden", "int4", name)
        self.folder = folder
        self.path = os.path.join(folder, entry["tflite"])
        self.input_dtype = np.dtype(entry["inputs"][0]["dtype"].lower())

    def vectors(self):
        for vector in self.entry["vectors"]:
            yield vector["name"], self.read(vector["in"]), self.read(vector["out"])

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()


def goldens():
    need_shared()
    with open(os.path.join(SHARED, "golden", "index.json")) as file:
        index = json.load(file)
    return [Golden(name, entry) for name, entry in index["models"].items()]


class Micro:
    """TFLite Micro's interpreter on raw bytes: one value per input, or a list of them. Variable
    tensors are reset before each run."""

    def __init__(self, model, arena_bytes=4 << 20):
        from tflite_micro import runtime

        self.interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)

    def run_all(self, raws, outputs):
        self.interpreter.reset()
        for index, raw in enumerate(raws):
            details = self.interpreter.get_input_details(index)
            self.interpreter.set_input(np.frombuffer(raw, dtype=details["dtype"]).reshape(details["shape"]), index)
        self.interpreter.invoke()
        return [self.interpreter.get_output(index) for index in range(outputs)]

    def run(self, raw):
        return self.run_all([raw], 1)[0].tobytes()


class Lite:
    """LiteRT's interpreter on raw bytes. kernels: "default", "builtin" (no delegate) or "reference"."""

    def __init__(self, model, kernels="default"):
        from ai_edge_litert import interpreter as litert

        resolver = {
            "default": litert.OpResolverType.AUTO,
            "builtin": litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            "reference": litert.OpResolverType.BUILTIN_REF,
        }[kernels]
        self.interpreter = litert.Interpreter(model_content=model, experimental_op_resolver_type=resolver)
        self.interpreter.allocate_tensors()
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()

    def run_all(self, raws):
        for details, raw in zip(self.inputs, raws):
            self.interpreter.set_tensor(details["index"], np.frombuffer(raw, dtype=details["dtype"]).reshape(details["shape"]))
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(details["index"]) for details in self.outputs]

    def run(self, raw):
        return self.run_all([raw])[0].tobytes()


def check(condition, text):
    if not condition:
        raise AssertionError(text)

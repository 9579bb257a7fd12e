"""The host executor beside ai-edge-litert with its default kernels (XNNPACK): int8, one thread, batch 1.
Both run in turns, each turn's processor time divided by its inferences; the medians and the median of
the ratios of neighbouring turns are printed. A ratio above 1 says that ours is faster.

against_litert.py EXEC_SPEED GOLDEN_FOLDER [TURNS]

EXEC_SPEED is bench/exec/exec_speed.c, built with -DMN_BENCH=ON; litert is that of
tests/oracle/requirements.txt.
SPDX-License-Identifier: Apache-2.0"""
import glob
import statistics
import subprocess
import sys
import time

from ai_edge_litert.interpreter import Interpreter

MODELS = ["kws_micronet_m", "mlcommons_vww_96_int8", "mlcommons_pretrainedResnet_quant"]
TURN_MS = 20  # of one turn


class Ours:
    def __init__(self, program, model):
        self.process = subprocess.Popen(
            [program, "--turns", model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def turn(self, repeats):
        self.process.stdin.write(f"{repeats}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


class Litert:
    def __init__(self, model):
        self.interpreter = Interpreter(model_path=model, num_threads=1)
        self.interpreter.allocate_tensors()

    def turn(self, repeats):
        begin = time.process_time()
        for _ in range(repeats):
            self.interpreter.invoke()
        return (time.process_time() - begin) * 1000 / repeats


def measure(program, model, turns):
    sides = [Ours(program, model), Litert(model)]
    repeats = [max(1, int(TURN_MS / side.turn(20))) for side in sides]
    times = [[side.turn(count) for side, count in zip(sides, repeats)] for _ in range(turns)]
    ours, litert = (statistics.median(t[i] for t in times) for i in range(2))
    return ours, litert, statistics.median(t[1] / t[0] for t in times)


def main():
    program, golden = sys.argv[1:3]
    turns = int(sys.argv[3]) if len(sys.argv) > 3 else 41
    print(f"{'model':36} {'ours ms':>8} {'litert ms':>9} {'ratio':>6}")
    for name in MODELS:
        model = glob.glob(f"{golden}/{name}/*.tflite")[0]
        ours, litert, ratio = measure(program, model, turns)
        print(f"{name:36} {ours:8.4f} {litert:9.4f} {ratio:6.2f}")


main()

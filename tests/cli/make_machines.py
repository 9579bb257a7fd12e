#!/usr/bin/env python3
"""Made-up machines in DCASE's layout: two axes of vibration, each machine a hum of its own; an anomaly has
a rattle on one axis. make_machines.py DIR MACHINES TRAIN TEST
SPDX-License-Identifier: Apache-2.0"""
import math
import random
import struct
import sys
import wave
from pathlib import Path

RATE, SECONDS = 1000, 1


def recording(rng, machine, anomalous):
    base, samples = 40.0 + 55.0 * machine, []
    phase = rng.uniform(0, 6.28)
    for n in range(RATE * SECONDS):
        t = 2 * math.pi * n / RATE
        hum = 3000 * math.sin(base * t + phase) + 900 * math.sin(2.03 * base * t)
        rattle = 1500 * math.sin(431 * t) if anomalous else 0
        samples += [int(hum + rng.gauss(0, 150)), int(0.4 * hum + rattle + rng.gauss(0, 150))]
    return struct.pack("<%dh" % len(samples), *samples)


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(data)


def main():
    root, machines, train, test = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    rng = random.Random(5)
    for machine in range(machines):
        for i in range(train):
            write(root / "train" / ("normal_id_%02d_%08d.wav" % (2 * machine, i)), recording(rng, machine, False))
        for i in range(test):
            for label in ("normal", "anomaly"):
                name = "%s_id_%02d_%08d.wav" % (label, 2 * machine, i)
                write(root / "test" / name, recording(rng, machine, label == "anomaly"))


main()

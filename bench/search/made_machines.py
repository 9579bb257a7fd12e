#!/usr/bin/env python3
"""Made-up machines in DCASE's layout, to run the paper's budgets for anomaly detection on: four machines of one
kind, each some harmonics of its own slightly different speed over broad noise; an anomaly has bursts of rattle.
made_machines.py DIR CLIPS: CLIPS normal recordings of 10 s at 16 kHz of each machine to train on, a quarter of
that number normal and anomalous ones to test. No figure of accuracy on these says anything about real machines.
SPDX-License-Identifier: Apache-2.0"""
import sys
import wave
from pathlib import Path

import numpy

RATE, SECONDS, MACHINES = 16000, 10, 4


def hum(rng, machine, time):
    speed = (96 + 5 * machine) * (1 + 0.01 * rng.standard_normal())
    slow = 1 + 0.2 * numpy.sin(2 * numpy.pi * rng.uniform(0.5, 2) * time + rng.uniform(0, 6))
    tones = sum(
        numpy.sin(2 * numpy.pi * k * speed * time + rng.uniform(0, 6)) / k ** (0.6 + 0.1 * machine)
        for k in range(1, 40)
    )
    return slow * tones


def rattle(rng, time):
    sound = numpy.zeros_like(time)
    for start in rng.uniform(0, SECONDS, 12):
        here = (time >= start) & (time < start + 0.15)
        sound[here] = numpy.sin(2 * numpy.pi * 3100 * time[here]) * numpy.exp(-20 * (time[here] - start))
    return sound


def recording(rng, machine, anomalous):
    time = numpy.arange(RATE * SECONDS) / RATE
    noise = rng.standard_normal(len(time))
    sound = hum(rng, machine, time) + 0.7 * noise + 0.3 * numpy.cumsum(noise) / 50
    if anomalous:
        sound += 1.2 * rattle(rng, time)
    gain = 10 ** (rng.uniform(-3, 3) / 20)
    return numpy.clip(1500 * gain * sound, -32768, 32767).astype("<i2")


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


def main():
    root, clips = Path(sys.argv[1]), int(sys.argv[2])
    rng = numpy.random.default_rng(1)
    for machine in range(MACHINES):
        for i in range(clips):
            write(root / "train" / f"normal_id_{2 * machine:02d}_{i:08d}.wav", recording(rng, machine, False))
        for i in range(clips // 4):
            for label in ("normal", "anomaly"):
                name = f"{label}_id_{2 * machine:02d}_{i:08d}.wav"
                write(root / "test" / name, recording(rng, machine, label == "anomaly"))


main()

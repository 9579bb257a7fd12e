#!/usr/bin/env python3
"""A made-up data set: one folder per word, each word a chord of its own with a little noise, named as
Speech Commands names its files. make_tones.py DIR CLASSES SPEAKERS TAKES
SPDX-License-Identifier: Apache-2.0"""
import math
import random
import struct
import sys
import wave
from pathlib import Path

RATE = 16000


def clip(rng, word):
    base = 300.0 * 1.5 ** word * rng.uniform(0.95, 1.05)
    level = rng.uniform(3000, 9000)
    start = rng.randrange(RATE // 8)
    samples = []
    for n in range(RATE):
        value = rng.gauss(0, 60)
        if start <= n < start + RATE * 3 // 4:
            t = n / RATE
            value += level * (math.sin(2 * math.pi * base * t) + 0.5 * math.sin(2 * math.pi * base * 2.1 * t)) / 2
        samples.append(max(-32768, min(32767, int(value))))
    return struct.pack("<%dh" % RATE, *samples)


def main():
    root, classes, speakers, takes = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    rng = random.Random(7)
    for word in range(classes):
        folder = root / ("tone%d" % word)
        folder.mkdir(parents=True, exist_ok=True)
        for speaker in range(speakers):
            for take in range(takes):
                with wave.open(str(folder / ("%08x_nohash_%d.wav" % (speaker * 2654435761 % 2**32, take))), "wb") as out:
                    out.setnchannels(1)
                    out.setsampwidth(2)
                    out.setframerate(RATE)
                    out.writeframes(clip(rng, word))


main()

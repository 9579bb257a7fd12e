#!/usr/bin/env python3
"""A made-up data set of photos: one folder per class, each a pattern of its own (stripes, bars, checks)
with random colours, period and noise, as PNG. make_photos.py DIR CLASSES COUNT
SPDX-License-Identifier: Apache-2.0"""
import random
import struct
import sys
import zlib
from pathlib import Path


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, rows):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(row) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def photo(rng, pattern, width, height):
    period, phase = rng.randint(6, 10), rng.randint(0, 9)
    light, dark = [rng.randint(150, 230) for _ in range(3)], [rng.randint(20, 100) for _ in range(3)]
    rows = []
    for y in range(height):
        row = []
        for x in range(width):
            on = [(y + phase) // (period // 2), (x + phase) // (period // 2), (x + phase) // (period // 2) + y // (period // 2)][pattern % 3]
            row += [max(0, min(255, c + rng.randint(-15, 15))) for c in (light if on % 2 else dark)]
        rows.append(row)
    return png(width, height, rows)


def main():
    root, classes, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(5)
    for pattern in range(classes):
        folder = root / ("pattern%d" % pattern)
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            (folder / ("%03d.png" % i)).write_bytes(photo(rng, pattern, 32 + i % 9, 32 + i % 5))


main()

#!/usr/bin/env python3
"""The pooled area under the ROC curve of a model judged by `bands` or `embedding`, every score made by its
compiled firmware on an emulated Cortex-M4: front end, network and distance.

emulated_auc.py MODEL.tflite FOLDER   (FOLDER has test/ with WAV files as docs/anomaly.md says)
Needs $MN_SOURCE, $MICRONETS, arm-none-eabi-gcc, qemu-system-arm. Prints a JSON object.
SPDX-License-Identifier: Apache-2.0"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

SOURCE, PROGRAM = Path(os.environ.get("MN_SOURCE", ".")), os.environ.get("MICRONETS", "micronets")


def run(command, **options):
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, **options).stdout.decode()


def identity_of(name):
    found = re.search(r"(?<![A-Za-z0-9])id_\d+", name)
    if found:
        return found.group()
    return re.sub(r"[-_ .]\d+$", "", name)


def windows_of(path, samples, stride):
    with wave.open(str(path)) as file:
        channels, count = file.getnchannels(), file.getnframes()
        data = file.readframes(count)
    size, windows = 2 * channels, max(1, 1 + (count - samples) // stride)
    if count < samples:
        before = (samples - count) // 2
        data = bytes(before * size) + data + bytes((samples - count - before) * size)
    return channels, [data[w * stride * size:(w * stride + samples) * size] for w in range(windows)]


def area(scores):
    anomalous, normal = [s for s, bad in scores if bad], [s for s, bad in scores if not bad]
    wins = sum((a > n) + 0.5 * (a == n) for a in anomalous for n in normal)
    return wins / (len(anomalous) * len(normal)) if anomalous and normal else None


def number(text, key):
    return int(re.search(r"\.%s = (-?\d+)" % key, text).group(1))


def main():
    model, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as work:
        firmware = Path(work) / "fw"
        run([PROGRAM, "compile", model, "--target", "mps2-an386", "--name", "pump", "--out", firmware, "--quiet"])
        front = (firmware / "frontend.c").read_text()
        channels, samples = number(front, "channels"), number(front, "length")
        stride = number(front, "step") * number(front, "every")
        table = (firmware / "model.c").read_text().split("pump_labels[] = {")[1].split("};")[0]
        labels = re.findall(r'"((?:[^"\\]|\\.)*)"', table)
        after_run = "Call it after a run" in (firmware / "model.h").read_text().replace("\n * ", " ")
        files, counts = sorted((folder / "test").rglob("*.wav")), []
        with open(Path(work) / "clips.raw", "wb") as raw:
            for file in files:
                found, windows = windows_of(file, samples, stride)
                if found != channels:
                    sys.exit("%s: %d channels; expected %d" % (file, found, channels))
                name = identity_of(file.stem)
                state = labels.index(name) if name in labels else -1
                # Averages of distances to one state, then the nearest: as the host does.
                states = [state] if state >= 0 or len(windows) == 1 else list(range(len(labels)))
                counts.append((len(windows), len(states)))
                for one in states:
                    for window in windows:
                        raw.write(struct.pack("<i", one) + window)
        flags = ["-std=c11", "-O2", "-mcpu=cortex-m4", "-mthumb", "-iquote", firmware, "-I", SOURCE / "firmware",
                 "-DCHANNELS=%d" % channels, "-DLENGTH=%d" % samples, "-DSCORE_AFTER_RUN=%d" % after_run]
        sources = [f for f in sorted(firmware.glob("*.c")) if f.name != "golden_test.c"]
        elf = Path(work) / "score.elf"
        run(["arm-none-eabi-gcc", *flags, "-ffreestanding", "-nostartfiles", "-L", SOURCE / "firmware",
             "-T", SOURCE / "firmware/mps2.ld", SOURCE / "bench/anomaly/core/main.c",
             *(SOURCE / "firmware" / name for name in ("startup.c", "io_semihost.c", "semihost.c", "line.c")),
             *sources, "-o", elf])
        text = run(["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none",
                    "-semihosting-config", "enable=on,target=native", "-kernel", elf], cwd=work,
                   stdin=subprocess.DEVNULL)
    lines, scores = [int(line.split("=")[1]) for line in text.split("\n") if line], []
    for file, (windows, states) in zip(files, counts):
        part, lines = lines[:windows * states], lines[windows * states:]
        means = [sum(part[k * windows:(k + 1) * windows]) / windows for k in range(states)]
        scores.append((min(means) / 256, "anomaly" in str(file.relative_to(folder))))
    mean = {label: sum(s for s, bad in scores if bad == (label == "anomalous")) /
            max(1, sum(bad == (label == "anomalous") for _, bad in scores)) for label in ("normal", "anomalous")}
    print(json.dumps({"items": len(files), "auc": area(scores), "score_mean": mean}))


if __name__ == "__main__":
    main()

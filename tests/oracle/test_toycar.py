# SPDX-License-Identifier: Apache-2.0
"""MLPerf Tiny's anomaly detection on 16 ToyCar recordings: a double-precision oracle gives the published
scores to 1e-5, and so do our integer log-mel and the trainer's float forward pass to 1e-3."""
import csv
import glob
import os
import subprocess
import sys
import tempfile
import wave

import numpy as np

from bands import slaney_filters

try:
    import h5py
except ImportError:
    print("skipped: h5py is absent (tests/oracle/requirements.txt)")
    sys.exit(77)

FOLDER = os.path.join(os.environ.get("MN_SHARED", ""), "vectors", "ad01")
BINARY = os.environ.get("MN_BINARY", ".")
WINDOW, HOP, MELS, FRAMES, STACK = 1024, 512, 128, 200, 5
FIRST = 49 * HOP  # librosa's frame 50 is centred there: frames 50 to 249 need no padding


def log_mel(pcm):
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    at = FIRST + HOP * np.arange(FRAMES)[:, None] + np.arange(WINDOW)
    power = np.abs(np.fft.rfft(pcm[at] / 32768.0 * hann, axis=1)) ** 2
    return 10 * np.log10(power @ slaney_filters(WINDOW, MELS) + 2 ** -52)


def layers():
    """Kernel and bias of every layer with its batch norm folded in."""
    with h5py.File(os.path.join(FOLDER, "ad01.h5"), "r") as file:
        root, found = file["model_weights"], []
        for i in range(10):
            name = "dense_%d" % i if i else "dense"
            kernel = root[name][name]["kernel:0"][:].astype(float)
            bias = root[name][name]["bias:0"][:].astype(float)
            norm = "batch_normalization_%d" % i if i else "batch_normalization"
            if norm in root:
                part = {k: root[norm][norm][k + ":0"][:].astype(float)
                        for k in ("gamma", "beta", "moving_mean", "moving_variance")}
                scale = part["gamma"] / np.sqrt(part["moving_variance"] + 1e-3)
                kernel, bias = kernel * scale, (bias - part["moving_mean"]) * scale + part["beta"]
            found.append((kernel, bias))
    return found


def oracle_output(x, parameters):
    for i, (kernel, bias) in enumerate(parameters):
        x = x @ kernel + bias
        if i + 1 < len(parameters):
            x = np.maximum(x, 0)
    return x


def ours_log_mel(clips):
    settings = dict(window=64000, step=32000, mels=MELS, to=8000, mel=1, log=1, frames=FRAMES)
    settings["from"] = 0
    command = [os.path.join(BINARY, "tests", "frontend_dump"), "logmel", "0.5", "0"]
    command += ["%s=%d" % item for item in settings.items()]
    length = WINDOW + (FRAMES - 1) * HOP
    data = b"".join(c[FIRST:FIRST + length].astype("<i2").tobytes() for c in clips)
    raw = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
    line, raw = raw.split(b"\n", 1)
    frames, width, fraction = map(int, line.split())
    one = frames * width
    return [np.frombuffer(raw[i * 3 * one:i * 3 * one + 2 * one], "<i2").reshape(frames, width) / 2.0 ** fraction
            for i in range(len(clips))]


def ours_output(x, parameters, folder):
    net, values = os.path.join(folder, "ad.net"), os.path.join(folder, "values")
    with open(os.path.join(os.environ["MN_SOURCE"], "networks", "mlperf_ad.net")) as file:
        text = file.read().replace("default relu", "default relu nobn")
    with open(net, "w") as file:
        file.write(text)
    with open(values, "wb") as file:
        for kernel, bias in parameters:
            file.write(kernel.T.astype("<f4").tobytes() + bias.astype("<f4").tobytes())
    command = [os.path.join(BINARY, "tests", "trainer_forward"), net, values]
    raw = subprocess.run(command, input=x.astype("<f4").tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(raw, "<f4").reshape(x.shape).astype(float)


def stack(frames):
    return np.concatenate([frames[i:len(frames) - STACK + 1 + i] for i in range(STACK)], axis=1)


def published():
    scores = {}
    for name in glob.glob(os.path.join(FOLDER, "anomaly_score_*.csv")):
        with open(name) as file:
            scores.update({row[0]: float(row[1]) for row in csv.reader(file)})
    return scores


def main():
    if not os.path.exists(FOLDER):
        print("skipped: development data ($MN_SHARED) is absent")
        return 77
    names, wanted, parameters = sorted(glob.glob(os.path.join(FOLDER, "*.wav"))), published(), layers()
    clips = []
    for name in names:
        with wave.open(name) as file:
            clips.append(np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float))
    worst = {"oracle": 0.0, "ours": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        for name, clip, frames in zip(names, clips, ours_log_mel(clips)):
            score = wanted[os.path.basename(name)]
            x = stack(log_mel(clip))
            oracle = np.mean((x - oracle_output(x, parameters)) ** 2)
            x = stack(frames)
            ours = np.mean((x - ours_output(x, parameters, folder)) ** 2)
            worst["oracle"] = max(worst["oracle"], abs(oracle / score - 1))
            worst["ours"] = max(worst["ours"], abs(ours / score - 1))
    print("%d recordings, largest relative difference from the published scores: double %.2g, "
          "integer log-mel and the trainer's forward pass %.2g" % (len(names), worst["oracle"], worst["ours"]))
    return 0 if worst["oracle"] < 1e-5 and worst["ours"] < 1e-3 else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The integer front end against float oracles: TensorFlow's own AudioSpectrogram and Mfcc operators
(a two-operator .tflite built here, run by ai-edge-litert) for the paper's features, numpy for the
others. Every quantized feature must lie within 1 of the quantized oracle."""
import glob
import os
import subprocess
import sys
import wave

import flatbuffers
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import flexbuffers

from bands import slaney_filters

DUMP = os.path.join(os.environ.get("MN_BINARY", "."), "tests", "frontend_dump")
LENGTH = 16000


def options(**values):
    builder = flexbuffers.Builder()
    with builder.Map():
        for key, value in values.items():
            {bool: builder.Bool, int: builder.Int, float: builder.Float}[type(value)](key, value)
    return bytes(builder.Finish())


class Table:
    """One flatbuffer table: fields by slot number."""

    def __init__(self, builder, slots, fields):
        builder.StartObject(slots)
        for slot, (kind, value) in fields.items():
            if kind == "offset":
                builder.PrependUOffsetTRelativeSlot(slot, value, 0)
            elif kind == "int32":
                builder.PrependInt32Slot(slot, value, 0)
            elif kind == "int8":
                builder.PrependInt8Slot(slot, value, 0)
            else:
                builder.PrependUint32Slot(slot, value, 0)
        self.at = builder.EndObject()


def two_operators(window, step, rate, low, high, mels, keep):
    b = flatbuffers.Builder(1024)

    def ints(values):
        b.StartVector(4, len(values), 4)
        for value in reversed(values):
            b.PrependInt32(value)
        return b.EndVector()

    def tables(items):
        b.StartVector(4, len(items), 4)
        for item in reversed(items):
            b.PrependUOffsetTRelative(item.at)
        return b.EndVector()

    fft = 1 << (window - 1).bit_length()
    frames = 1 + (LENGTH - window) // step
    data = b.CreateByteVector(np.array([rate], np.int32).tobytes())
    buffers = tables([Table(b, 1, {}), Table(b, 1, {0: ("offset", data)})])

    def tensor(name, shape, kind, buffer):
        text, dims = b.CreateString(name), ints(shape)
        return Table(b, 8, {0: ("offset", dims), 1: ("int8", kind), 2: ("uint32", buffer),
                            3: ("offset", text)})

    tensors = tables([tensor("pcm", [LENGTH, 1], 0, 0),
                      tensor("spectrum", [1, frames, fft // 2 + 1], 0, 0),
                      tensor("rate", [1], 2, 1), tensor("mfcc", [1, frames, keep], 0, 0)])

    def operator(code, inputs, outputs, custom):
        i, o, c = ints(inputs), ints(outputs), b.CreateByteVector(custom)
        return Table(b, 9, {0: ("uint32", code), 1: ("offset", i), 2: ("offset", o),
                            5: ("offset", c)})

    operators = tables([
        operator(0, [0], [1], options(window_size=window, stride=step, magnitude_squared=True)),
        operator(1, [1, 2], [3], options(upper_frequency_limit=float(high),
                                         lower_frequency_limit=float(low),
                                         filterbank_channel_count=mels,
                                         dct_coefficient_count=keep))])
    inputs, outputs = ints([0]), ints([3])
    graph = tables([Table(b, 5, {0: ("offset", tensors), 1: ("offset", inputs),
                                 2: ("offset", outputs), 3: ("offset", operators)})])

    def code(name):
        text = b.CreateString(name)
        return Table(b, 4, {0: ("int8", 32), 1: ("offset", text), 2: ("int32", 1),
                            3: ("int32", 32)})

    codes = tables([code("AudioSpectrogram"), code("Mfcc")])
    model = Table(b, 8, {0: ("uint32", 3), 1: ("offset", codes), 2: ("offset", graph),
                         4: ("offset", buffers)})
    b.Finish(model.at, file_identifier=b"TFL3")
    return bytes(b.Output())


def tensorflow_mfcc(clips, window=640, step=320, rate=16000, low=20, high=4000, mels=40, keep=10):
    run = Interpreter(model_content=two_operators(window, step, rate, low, high, mels, keep))
    run.allocate_tensors()
    out = []
    for clip in clips:
        run.set_tensor(run.get_input_details()[0]["index"], (clip / 32768.0).astype(np.float32)[:, None])
        run.invoke()
        out.append(run.get_tensor(run.get_output_details()[0]["index"])[0].copy())
    return np.array(out, np.float64)


def mel(hz):
    return 1127.0 * np.log1p(np.asarray(hz, float) / 700.0)


def magnitudes(clip, window, step):
    fft = 1 << (window - 1).bit_length()
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    starts = range(0, len(clip) - window + 1, step)
    return np.abs(np.fft.rfft([clip[s:s + window] * hann for s in starts], fft))


def triangles(bins, fft, rate, low, high, mels, first):
    points = mel(low) + (mel(high) - mel(low)) * np.arange(mels + 2) / (mels + 1)
    m = mel(np.arange(bins) * rate / fft)[:, None]
    rise = (m - points[:-2]) / (points[1:-1] - points[:-2])
    fall = (points[2:] - m) / (points[2:] - points[1:-1])
    weights = np.maximum(0, np.minimum(rise, fall))
    weights[:first] = 0
    return weights


def cepstrum(energy, keep):
    mels = energy.shape[1]
    angle = np.pi / mels * np.outer(np.arange(mels) + 0.5, np.arange(keep))
    return energy @ (np.sqrt(2.0 / mels) * np.cos(angle))


def log_mel(clip, window=640, step=320, rate=16000, low=20, high=4000, mels=40):
    fft = 1 << (window - 1).bit_length()
    weights = triangles(fft // 2 + 1, fft, rate, low, high, mels, int(1.5 + low * fft / rate))
    return np.log(np.maximum(magnitudes(clip / 32768.0, window, step) @ weights, 1e-12))


def mlperf(clip, keep=10):
    clip = clip / max(1.0, clip.max())
    weights = triangles(257, 512, 16000, 20, 4000, 40, 1)
    return cepstrum(np.log(magnitudes(clip, 480, 320) @ weights + 1e-6), keep)


def normalised(clip, **settings):
    energy = log_mel(clip, **settings)
    loudest = np.sort(energy.mean(axis=1))[::-1][:(len(energy) + 7) // 8]
    return np.maximum(energy - loudest.mean(), -6.0)


def slaney_db(clip, side=0):
    """64 ms frames of 64 Slaney bands in dB, as librosa's power_to_db of |X|^2; halved to side x side."""
    at = np.arange(1 + (LENGTH - 1024) // 512)[:, None] * 512 + np.arange(1024)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    power = np.abs(np.fft.rfft(clip[at] / 32768.0 * hann, axis=1)) ** 2 @ slaney_filters(1024, 64)
    image = 10 * np.log10(np.maximum(power, 2.0 ** -52))
    for axis in range(2 if side else 0):
        place = np.clip((np.arange(side) + 0.5) * image.shape[0] / side - 0.5, 0, image.shape[0] - 1)
        first = np.floor(place).astype(int)
        share = (place - first)[:, None]
        image = (image[first] * (1 - share) + image[np.minimum(first + 1, len(image) - 1)] * share).T
    return image


def spectrum(clip, bands=32):
    """Three axes at 200 Hz, windows of 64 samples: triangles of equal width over 0 to 100 Hz."""
    axes = clip[:600].reshape(200, 3) / 32768.0
    points, bins = np.linspace(0, 100, bands + 2), np.arange(33) * 200 / 64
    weights = np.array([np.interp(bins, points[m:m + 3], [0, 1, 0]) for m in range(bands)]).T
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64))[:, None]
    frames = [np.abs(np.fft.rfft(axes[i:i + 64] * hann, axis=0)) for i in range(0, 137, 8)]
    return np.array([np.log(np.maximum(f.T @ weights, 1e-12)).T.ravel() for f in frames])


def ours(kind, clips, scale, zero_point, **settings):
    command = [DUMP, kind, repr(scale), str(zero_point)]
    command += ["%s=%d" % item for item in settings.items()]
    data = b"".join(np.asarray(c, "<i2").tobytes() for c in clips)
    raw = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
    line, raw = raw.split(b"\n", 1)
    frames, width, fraction = map(int, line.split())
    count = frames * width
    features, inputs = [], []
    for i in range(len(clips)):
        part = raw[i * 3 * count:(i + 1) * 3 * count]
        features.append(np.frombuffer(part[:2 * count], "<i2").reshape(frames, width) / 2.0 ** fraction)
        inputs.append(np.frombuffer(part[2 * count:], np.int8).reshape(frames, width).astype(int))
    return np.array(features), np.array(inputs)


def recordings():
    folder = os.path.join(os.environ.get("MN_SHARED", ""), "vectors", "gsc_wav")
    clips = []
    for name in sorted(glob.glob(os.path.join(folder, "*.wav"))):
        with wave.open(name) as file:
            pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        clips.append(np.pad(pcm, (0, max(0, LENGTH - len(pcm))))[:LENGTH])
    return clips


def made_up():
    r, t = np.random.default_rng(1), np.arange(LENGTH)
    chirp = np.sin(2 * np.pi * (100 * t / LENGTH + 7000 * t * t / 2 / LENGTH ** 2) * 0.9)
    speech = np.cumsum(r.normal(size=LENGTH)) * np.abs(np.sin(t / 900))
    speech = 9000 * (speech - speech.mean()) / np.abs(speech).max()
    signals = [32767 * chirp, 20000 * np.sin(t * 0.37), r.normal(size=LENGTH) * 3, r.normal(size=LENGTH) * 6000,
               np.where(t % 4000 == 17, 30000, 0), np.full(LENGTH, 1), np.where(t // 40 % 2, 32767, -32768),
               np.where(t < 8000, 0, 12000 * chirp), np.zeros(LENGTH), speech, speech / 300,
               np.where(t == 9000, 1, 0), np.full(LENGTH, -32768)]
    return [np.clip(np.round(s), -32768, 32767).astype(np.int16) for s in signals]


def check(name, oracle, real, quantized, scale, zero_point):
    expected = np.clip(np.round(oracle / scale) + zero_point, -128, 127)
    worst = int(np.abs(expected - quantized).max())
    off = float((expected != quantized).mean())
    print("%-24s %3d clips  largest difference %.4f real, %d LSB of %.3f; %.2f %% differ" % (
        name, len(oracle), np.abs(np.clip(oracle, -250, 250) - np.clip(real, -250, 250)).max(), worst, scale, 100 * off))
    return worst <= 1 and off < 0.06


def main():
    clips = {"recordings": recordings(), "made up": made_up()}
    wide = dict(to=7600)
    ok = True
    for kind, signals in clips.items():
        if not signals:
            print("recordings absent ($MN_SHARED): only made-up signals are compared")
            continue
        def run(name, front_end, oracle, scale, zero_point, **settings):
            real, quantized = ours(front_end, signals, scale, zero_point, **settings)
            return check(name + ", " + kind, oracle, real, quantized, scale, zero_point)

        ok &= run("paper", "mfcc", tensorflow_mfcc(signals), 0.2010950, -5)
        ok &= run("paper, hops of 320", "mfcc", tensorflow_mfcc(signals), 1.9, 120, hop=320)
        ok &= run("paper to 7.6 kHz", "mfcc", tensorflow_mfcc(signals, high=7600), 0.25, 3, hop=77, **wide)
        ok &= run("30 ms, 64 mels", "mfcc", tensorflow_mfcc(signals, window=480, mels=64, keep=13, high=7000),
                  0.25, 3, window=30000, mels=64, keep=13, to=7000)
        ok &= run("log mel", "logmel", np.array([log_mel(s, high=7600) for s in signals]), 0.12, 60, **wide)
        ok &= run("mlperf", "mfcc", np.array([mlperf(s) for s in signals]), 0.5847029, 83, window=30000,
                  style=1, hop=320)
        # A clip without any change holds only the window's own far leakage, 140 dB down: a coarser scale.
        ok &= run("normalised", "logmel", np.array([normalised(s, high=7600) for s in signals]),
                  0.05 if kind == "recordings" else 0.08, -8, level=1, hop=111, **wide)
        machine = dict(window=64000, step=32000, mels=64, to=8000, mel=1, log=1)
        machine["from"] = 0
        ok &= run("slaney, db", "logmel", np.array([slaney_db(s) for s in signals]), 0.8, 40, hop=333, **machine)
        ok &= run("slaney, db, resized", "logmel", np.array([slaney_db(s, 16) for s in signals]), 0.8, 40,
                  resize=16, **machine)
        axes = dict(rate=200, window=320000, step=40000, channels=3, to=100, hop=7)
        axes["from"] = 0
        real, quantized = ours("spectrum", [s[:600] for s in signals], 0.15, 20, **axes)
        ok &= check("spectrum, " + kind, np.array([spectrum(s) for s in signals]), real, quantized, 0.15, 20)
        lift = 1 + 11 * np.sin(np.pi * np.arange(10) / 22)
        ok &= run("paper, lifter", "mfcc", tensorflow_mfcc(signals) * lift, 0.5, 10, lifter=22)
        ok &= run("normalised mfcc", "mfcc", np.array([cepstrum(normalised(s), 10) for s in signals]), 0.2, 0,
                  level=1)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())

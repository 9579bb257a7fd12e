# SPDX-License-Identifier: Apache-2.0
"""Slaney's mel filters as librosa makes them, in double precision."""
import numpy as np


def slaney_mel(hz):
    return np.where(hz < 1000, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1e-9) / 1000) * 27 / np.log(6.4))


def slaney_hz(mel):
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def slaney_filters(window, mels, rate=16000):
    points = slaney_hz(np.linspace(slaney_mel(np.array(0.0)), slaney_mel(np.array(rate / 2.0)), mels + 2))
    bins = np.arange(window // 2 + 1) * rate / window
    weights = np.zeros((len(bins), mels))
    for m in range(mels):
        low, mid, high = points[m:m + 3]
        rise, fall = (bins - low) / (mid - low), (high - bins) / (high - mid)
        weights[:, m] = np.maximum(0, np.minimum(rise, fall)) * 2 / (high - low)
    return weights

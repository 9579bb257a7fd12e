# public.py - what is known of TFLM with CMSIS-NN: exact counts of each layer of some models with the
# Cortex-M4's modelled cycles, and microseconds per kind of operator measured on public boards.
# SPDX-License-Identifier: Apache-2.0
import csv
import os
import re

# Models of the board measurements, and the folders that hold their layers.
MODELS = {"ds_cnn_s": "ds_cnn_s_quantized", "kws_micronet_s": "kws_micronet_s", "person_detect": "tflm_person_detect"}
# Columns of the board measurements by the operator that a row of ours is for; kinds that took
# less than a millisecond are left out: they measure the caches' first misses and the clock's step.
COLUMNS = {
    "CONV_2D": "conv_2d_us",
    "CONV_2D_1x1": "conv_2d_us",
    "DEPTHWISE_CONV_2D": "depthwise_conv_2d_us",
    "AVERAGE_POOL_2D": "average_pool_2d_us",
}
# Board cycles per modelled cycle where a core's model was held against the board (targets/).
FACTORS = {"nano33ble": 1.22, "nucleo_l552ze_q": 0.99, "pico2": 1.01, "teensy40": 1.08}
CORES = {
    "nano33ble": "cortex-m4",
    "nucleo_l552ze_q": "cortex-m33",
    "pico2": "cortex-m33",
    "teensy40": "cortex-m7",
    "picow": "cortex-m0plus",
    "nucleo_f207zg": "cortex-m3",
}
NAMES = {"AVGPOOL": "AVERAGE_POOL_2D", "FC": "FULLY_CONNECTED"}


class Layer:
    """One line of a layers file, with the terms of the cycle table (include/micronets/target.h)."""

    def __init__(self, row):
        name = row["name"]
        window = re.search(r"(\d+)x(\d+)$", name)
        self.kind = NAMES.get(name, name)
        if name.startswith("CONV"):
            self.kind = "CONV_2D_1x1" if name == "CONV1x1" else "CONV_2D"
        if name.startswith("DW"):
            self.kind = "DEPTHWISE_CONV_2D"
        x = [int(d) for d in row["input"].split("x")]
        y = [int(d) for d in row["output"].split("x")]
        taps = int(window[1]) * int(window[2]) if window else 1
        positions = y[1] * y[2] if len(y) == 4 else 1
        self.cycles = float(row["m4cyc_est"])
        self.terms = {
            "CALLS": 1.0,
            "OUTPUTS": float(product(y)),
            "INPUTS": float(product(x)),
            "GATHERED": float(positions * taps * x[-1]),
            "MACS": float(row["macs"]),
        }


def product(shape):
    result = 1
    for size in shape:
        result *= size
    return result


def layers_of(golden, folder):
    with open(os.path.join(golden, folder, "layers_m4_cmsis_O2.csv")) as file:
        return [Layer(row) for row in csv.DictReader(file)]


def folders(golden):
    """Of the int8 models with such a file."""
    names = sorted(os.listdir(golden))
    return [n for n in names if "int16" not in n and os.path.exists(os.path.join(golden, n, "layers_m4_cmsis_O2.csv"))]


def all_layers(golden):
    return [layer for folder in folders(golden) for layer in layers_of(golden, folder)]


def boards(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def board_cycles(row, column):
    """Cycles that a board spent in a kind of operator; None where it was not measured."""
    return float(row[column]) * float(row["mhz_nominal"]) if row[column] else None

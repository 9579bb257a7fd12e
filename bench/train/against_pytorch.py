"""Sets train_speed beside PyTorch in one interleaved run: forward, loss, backward and AdamW of one
batch; of a supernet, a step of the weights and one of the architecture. Medians over all rounds.
Called by against_pytorch.sh.

against_pytorch.py TRAIN_SPEED ROUNDS clock|cpu [NETWORK ...]
2 threads by the clock, or 1 thread's processor time.
SPDX-License-Identifier: Apache-2.0"""
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Callable

import torch
from torch import nn

from pytorch_networks import DsCnn, MobileNetV2, Supernet
from pytorch_quantized import KINDS, Quantized

STEPS = 4
ROUNDS, CPU = int(sys.argv[2]), sys.argv[3] == "cpu"
THREADS, clock = (1, time.process_time) if CPU else (2, time.perf_counter)


@dataclass
class Network:
    name: str
    file: str
    batch: int
    classes: int
    make: Callable
    modes: tuple = ("float",)


NETWORKS = [
    Network("DS-CNN-S", "networks/ds_cnn_s.net", 128, 12, lambda: DsCnn(64, (2, 2), 1, 4),
            ("float", "quantized")),
    Network("DS-CNN-L", "networks/ds_cnn_l.net", 128, 12, lambda: DsCnn(276, (2, 1), 2, 5),
            ("float", "quantized")),
    Network("supernet", "spaces/kws.net", 128, 12, Supernet, ("search",)),
    Network("MobileNetV2", "networks/mobilenet_v2_035.net", 64, 2, MobileNetV2),
]


class Torch:
    """One PyTorch variant, ready to be stepped. bf16: by torch.autocast."""

    def __init__(self, network, compiled, layout, quantized=None, bf16=False):
        torch.manual_seed(1)
        net = network.make()
        if quantized:
            net = Quantized(net, quantized)
        net = net.to(memory_format=layout)
        self.weights = net.weights() if hasattr(net, "weights") else list(net.parameters())
        self.architecture = net.architecture() if hasattr(net, "architecture") else []
        self.x = torch.randn(network.batch, *net.data).to(memory_format=layout)
        self.y = torch.arange(network.batch) % network.classes
        self.optimizer = torch.optim.AdamW(self.weights, 3e-3, fused=True)
        if self.architecture:
            self.search = torch.optim.Adam(self.architecture, 0.05, (0.9, 0.99))
        self.net = torch.compile(net) if compiled else net
        self.bf16 = bf16
        for _ in range(2):
            self.step()

    def half(self, optimizer, wanted, unwanted):
        for p in wanted:
            p.requires_grad_(True)
        for p in unwanted:
            p.requires_grad_(False)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            loss = nn.functional.cross_entropy(self.net(self.x), self.y)
        loss.backward()
        optimizer.step()

    def step(self):
        self.half(self.optimizer, self.weights, self.architecture)
        if self.architecture:
            self.half(self.search, self.architecture, self.weights)

    def turn(self):
        seconds = []
        for i in range(STEPS + 1):
            start = clock()
            self.step()
            if i > 0:  # the first finds cold caches
                seconds.append(clock() - start)
        return seconds


class Ours:
    def __init__(self, program, network, mode, arithmetic):
        self.command = [program, network.file, str(network.batch), str(THREADS), str(STEPS),
                        "best", mode, arithmetic]

    def turn(self):
        text = subprocess.run(self.command, check=True, capture_output=True, text=True).stdout
        return [float(line.split()[CPU]) for line in text.splitlines()]


def groups(network):
    """What of PyTorch is compared, by name, and how it is made."""
    yield "float32", {}
    yield "bf16 autocast", {"bf16": True}
    if "quantized" in network.modes:
        for kind in KINDS:
            yield f"quantized {kind}", {"quantized": kind}


def variants(program, network):
    """((group, way), what can be timed)"""
    for mode in network.modes:
        for arithmetic in "float32", "bf16", "int16":
            yield ("ours", f"{mode} {arithmetic}"), Ours(program, network, mode, arithmetic)
    for group, options in groups(network):
        for compiled in (False, True):
            for layout in (torch.contiguous_format, torch.channels_last):
                way = f"{'compile' if compiled else 'eager'} {str(layout).split('.')[-1]}"
                try:
                    yield (group, way), Torch(network, compiled, layout, **options)
                except RuntimeError as error:  # not every way of rounding compiles in every PyTorch
                    print(f"{network.name:12} {group} {way}: {str(error).splitlines()[0]}",
                          flush=True)


def compare(network, speed):
    for (ours, way), value in speed.items():
        for group, _ in groups(network):
            if ours != "ours" or group.startswith("quantized") != way.startswith("quantized"):
                continue
            best = max(other for (name, _), other in speed.items() if name == group)
            print(f"{network.name:12} ours, {way} / best of PyTorch, {group}: {value / best:.2f}",
                  flush=True)


def measure(program, network):
    table = {name: (one, []) for name, one in variants(program, network)}
    for _ in range(ROUNDS):
        for one, seconds in table.values():
            seconds += one.turn()
    samples = network.batch * (2 if network.modes == ("search",) else 1)
    speed = {name: samples / statistics.median(seconds) for name, (_, seconds) in table.items()}
    for (group, way), value in speed.items():
        print(f"{network.name:12} {group:18} {way:26} {value:8.0f} samples/s", flush=True)
    compare(network, speed)


def main():
    torch.set_num_threads(THREADS)
    print(f"PyTorch {torch.__version__}, {THREADS} threads, {ROUNDS} rounds of {STEPS} steps, "
          f"{'processor time' if CPU else 'clock'}", flush=True)
    for network in NETWORKS:
        if len(sys.argv) <= 4 or network.name in sys.argv[4:]:
            measure(sys.argv[1], network)
            torch.compiler.reset()


if __name__ == "__main__":
    main()

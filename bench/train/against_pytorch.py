"""Sets train_speed beside PyTorch in one interleaved run: forward, loss, backward and AdamW of one
batch of 128; medians over all rounds. Called by against_pytorch.sh.

against_pytorch.py TRAIN_SPEED ROUNDS clock|cpu   (2 threads by the clock, or 1 thread's processor time)
SPDX-License-Identifier: Apache-2.0"""
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

BATCH, CLASSES, STEPS = 128, 12, 8
ROUNDS, CPU = int(sys.argv[2]), sys.argv[3] == "cpu"
THREADS, clock = (1, time.process_time) if CPU else (2, time.perf_counter)
# name, file, width, stem stride, stride of the first block, blocks
NETWORKS = [
    ("DS-CNN-S", "networks/ds_cnn_s.net", 64, (2, 2), 1, 4),
    ("DS-CNN-L", "networks/ds_cnn_l.net", 276, (2, 1), 2, 5),
]


def same(x, kernel, stride):
    """TensorFlow's padding: the odd pixel goes to the end."""
    pads = []
    for size, k, s in zip(x.shape[:1:-1], kernel[::-1], stride[::-1]):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return nn.functional.pad(x, pads)


class DsCnn(nn.Module):
    def __init__(self, width, stem, first, blocks):
        super().__init__()
        self.stem_stride = stem
        self.stem = nn.Conv2d(1, width, (10, 4), stem, bias=False)
        layers = [nn.BatchNorm2d(width), nn.ReLU()]
        for i in range(blocks):
            layers += [nn.Conv2d(width, width, 3, first if i == 0 else 1, 1, groups=width, bias=False),
                       nn.BatchNorm2d(width), nn.ReLU(),
                       nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.stem(same(x, (10, 4), self.stem_stride))
        return self.classifier(self.body(x).mean((2, 3)))


class Torch:
    """One PyTorch variant, ready to be stepped."""

    def __init__(self, network, compiled, layout):
        _, _, width, stem, first, blocks = network
        torch.manual_seed(1)
        net = DsCnn(width, stem, first, blocks).to(memory_format=layout)
        self.x = torch.randn(BATCH, 1, 49, 10).to(memory_format=layout)
        self.y = torch.arange(BATCH) % CLASSES
        self.optimizer = torch.optim.AdamW(net.parameters(), 3e-3, fused=True)
        self.net = torch.compile(net) if compiled else net
        for _ in range(5):
            self.step()

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(self.net(self.x), self.y)
        loss.backward()
        self.optimizer.step()

    def turn(self):
        seconds = []
        for _ in range(STEPS):
            start = clock()
            self.step()
            seconds.append(clock() - start)
        return seconds


class Ours:
    def __init__(self, program, network, *extra):
        self.command = [program, network[1], str(BATCH), str(THREADS), str(STEPS), *extra]

    def turn(self):
        text = subprocess.run(self.command, check=True, capture_output=True, text=True).stdout
        return [float(line.split()[CPU]) for line in text.splitlines()]


def variants(program, network):
    yield "ours", Ours(program, network)
    yield "ours, quantized", Ours(program, network, "best", "quantized")
    for compiled in (False, True):
        for layout in (torch.contiguous_format, torch.channels_last):
            name = f"{'compile' if compiled else 'eager'} {str(layout).split('.')[-1]}"
            yield name, Torch(network, compiled, layout)


def main():
    program = sys.argv[1]
    torch.set_num_threads(THREADS)
    print(f"PyTorch {torch.__version__}, batch {BATCH}, {THREADS} threads, {ROUNDS} rounds of {STEPS} steps, "
          f"{'processor time' if CPU else 'clock'}", flush=True)
    for network in NETWORKS:
        table = {name: (one, []) for name, one in variants(program, network)}
        for _ in range(ROUNDS):
            for one, seconds in table.values():
                seconds += one.turn()
        speed = {name: BATCH / statistics.median(seconds) for name, (_, seconds) in table.items()}
        best = max(value for name, value in speed.items() if not name.startswith("ours"))
        for name, value in speed.items():
            print(f"{network[0]}  {name:28} {value:8.0f} samples/s", flush=True)
        print(f"{network[0]}  ours / best of PyTorch: {speed['ours'] / best:.2f}", flush=True)


if __name__ == "__main__":
    main()

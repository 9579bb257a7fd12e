"""The networks of against_pytorch.py as one would write them in PyTorch.
SPDX-License-Identifier: Apache-2.0"""
import torch
from torch import nn
from torch.nn import functional


def same(x, kernel, stride):
    """TensorFlow's padding: the odd pixel goes to the end."""
    pads = []
    for size, k, s in zip(x.shape[:1:-1], kernel[::-1], stride[::-1]):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads)


def normalized(inputs, outputs, kernel, stride=1, groups=1, act=nn.ReLU):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs)]
    return layers + ([act()] if act else [])


class DsCnn(nn.Module):
    """networks/ds_cnn_s.net and _l.net."""
    data = (1, 49, 10)

    def __init__(self, width, stem, first, blocks):
        super().__init__()
        self.stem_stride = stem
        self.stem = nn.Conv2d(1, width, (10, 4), stem, bias=False)
        layers = [nn.BatchNorm2d(width), nn.ReLU()]
        for i in range(blocks):
            layers += normalized(width, width, 3, first if i == 0 else 1, width)
            layers += normalized(width, width, 1)
        self.body = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, 12)

    def forward(self, x):
        x = self.stem(same(x, (10, 4), self.stem_stride))
        return self.classifier(self.body(x).mean((2, 3)))


class Inverted(nn.Module):
    def __init__(self, inputs, expand, outputs, stride):
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        layers = normalized(inputs, expand, 1, act=nn.ReLU6) if expand else []
        expand = expand or inputs
        layers += normalized(expand, expand, 3, stride, expand, nn.ReLU6)
        self.layers = nn.Sequential(*layers, *normalized(expand, outputs, 1, act=None))

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV2(nn.Module):
    """networks/mobilenet_v2_035.net. Output, stride and times of each stage; all expand six times."""
    data = (3, 96, 96)
    stages = ((8, 2, 2), (16, 2, 3), (24, 2, 4), (32, 1, 3), (56, 2, 3), (112, 1, 1))

    def __init__(self):
        super().__init__()
        layers = normalized(3, 16, 3, 2, act=nn.ReLU6) + [Inverted(16, 0, 8, 1)]
        width = 8
        for outputs, stride, times in self.stages:
            for i in range(times):
                layers.append(Inverted(width, 6 * width, outputs, stride if i == 0 else 1))
                width = outputs
        self.body = nn.Sequential(*layers, *normalized(width, 1280, 1, act=nn.ReLU6))
        self.classifier = nn.Linear(1280, 2)

    def forward(self, x):
        return self.classifier(self.body(x).mean((2, 3)))


class Supernet(nn.Module):
    """spaces/kws.net: every width 10 % to 100 % of 276 (the last one also 196), every block optional.
    All widths share one kernel, masked; a depthwise layer is as open as its input, since batch norm
    would undo the mask. Gumbel-softmax, as src/search/architecture.c."""
    data = (1, 49, 10)
    width, temperature = 276, 5.0
    tenths = [max(4, int(276 * i / 10 / 4 + 0.5) * 4) for i in range(1, 11)]

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, self.width, (10, 4), bias=False)
        self.norm = nn.BatchNorm2d(self.width)
        self.depthwise, self.pointwise = nn.ModuleList(), nn.ModuleList()
        for i in range(9):
            self.depthwise.append(nn.Sequential(
                *normalized(self.width, self.width, 3, 2 if i == 0 else 1, self.width, nn.ReLU6)))
            self.pointwise.append(nn.Sequential(
                *normalized(self.width, self.width, 1, act=nn.ReLU6)))
        self.classifier = nn.Linear(self.width, 12)
        options = [self.tenths] * 9 + [sorted(self.tenths + [196])]
        self.options = nn.ParameterList(torch.zeros(len(widths)) for widths in options)
        self.blocks = nn.Parameter(torch.zeros(9, 2))
        for i, widths in enumerate(options):
            opens = torch.arange(self.width) < torch.tensor(widths)[:, None]
            self.register_buffer(f"opens{i}", opens.float())

    def architecture(self):
        return [*self.options, self.blocks]

    def weights(self):
        mine = {id(p) for p in self.architecture()}
        return [p for p in self.parameters() if id(p) not in mine]

    def soft(self, alpha):
        noise = -torch.log(-torch.log(torch.rand_like(alpha) * 0.9999 + 1e-5))
        return functional.softmax((alpha + noise) / self.temperature, -1)

    def forward(self, x):
        masks = [self.soft(a) @ getattr(self, f"opens{i}") for i, a in enumerate(self.options)]
        on = self.soft(self.blocks)
        opened = masks[0]
        x = functional.relu6(self.norm(self.stem(same(x, (10, 4), (1, 1))))) * opened[:, None, None]
        for i, (depthwise, pointwise) in enumerate(zip(self.depthwise, self.pointwise)):
            y = depthwise(x) * opened[:, None, None]
            y = pointwise(y) * masks[i + 1][:, None, None]
            if i == 0:
                x = functional.avg_pool2d(functional.pad(x, (0, 0, 0, 1)), 2, count_include_pad=False)
            x = on[i, 0] * y + on[i, 1] * x
            opened = on[i, 0] * masks[i + 1] + on[i, 1] * opened
        return self.classifier(x.mean((2, 3)))

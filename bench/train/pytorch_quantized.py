"""Networks of pytorch_networks.py with fake quantization to 8 bits, in the two ways one has in PyTorch:

modules  torch.ao.quantization's fused fake-quantize modules, which follow the ranges they see
plain    elementwise operations on a fixed range, straight-through by detach: torch.compile fuses them

Weights per output channel, symmetric; activations and the input per tensor.
SPDX-License-Identifier: Apache-2.0"""
import torch
from torch import nn
from torch.nn import functional

KINDS = ("modules", "plain")


class PlainActivation(nn.Module):
    low, high = -4.0, 4.0
    scale = (high - low) / 255

    def forward(self, x):
        x = x.clamp(self.low, self.high)
        return x + ((x / self.scale).round() * self.scale - x).detach()


class PlainWeights(nn.Module):
    def forward(self, w):
        scale = (w.detach().abs().amax(tuple(range(1, w.dim())), keepdim=True) / 127).clamp(min=1e-9)
        return w + ((w / scale).round() * scale - w).detach()


def rounding(kind):
    """Makers of what rounds activations and weights."""
    if kind == "plain":
        return PlainActivation, PlainWeights
    from torch.ao.quantization import fake_quantize
    return fake_quantize.default_fused_act_fake_quant, fake_quantize.default_fused_per_channel_wt_fake_quant


class Layer(nn.Module):
    """A convolution or linear layer on rounded weights."""

    def __init__(self, layer, weights):
        super().__init__()
        self.layer, self.round = layer, weights

    def forward(self, x):
        layer, w = self.layer, self.round(self.layer.weight)
        if isinstance(layer, nn.Linear):
            return functional.linear(x, w, layer.bias)
        return functional.conv2d(x, w, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)


def replace(module, kind):
    activation, weights = rounding(kind)
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            setattr(module, name, Layer(child, weights()))
        elif isinstance(child, nn.Linear):  # behind the pool, which rounds too
            setattr(module, name, nn.Sequential(activation(), Layer(child, weights())))
        elif isinstance(child, (nn.ReLU, nn.ReLU6)):
            setattr(module, name, nn.Sequential(child, activation()))
        else:
            replace(child, kind)


class Quantized(nn.Module):
    def __init__(self, net, kind):
        super().__init__()
        replace(net, kind)
        self.input, self.net, self.data = rounding(kind)[0](), net, net.data

    def forward(self, x):
        return self.net(self.input(x))

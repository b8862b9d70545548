"""The perceptron of `kind = "mlp"`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Described, Told, scaled, waves


class Network(Described, Told):
    """`h_0 = [phi(x), e(t) + e(c)]`, `h_l = silu(W_l h_{l-1} + b_l)`, and a last layer."""

    def __init__(self, config: dict, signature: dict) -> None:
        (dim,), time = signature["shape"], config["time_features"]
        scale, hidden = config.get("time_scale", 1000), config["hidden"]
        super().__init__(signature, time, scaled(time, scale), scaled(time, min(scale, 20)))
        fourier = config["fourier"]
        octaves = 2 ** torch.arange(fourier["octaves"], dtype=torch.float64)
        frequencies = (2 * torch.pi / fourier["wavelength"] * octaves).float()
        self.register_buffer("frequencies", frequencies, persistent=False)
        widths = [dim * (1 + 2 * len(octaves)) + time] + [hidden] * config["depth"]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.out = nn.Linear(hidden, dim)

    def forward(self, x: Tensor, t: Tensor, **told) -> Tensor:
        h = torch.cat([x, waves(x, self.frequencies), self.told(t, **told)], 1)
        for layer in self.layers:
            h = F.silu(layer(h))
        return self.out(h)

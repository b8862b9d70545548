"""The perceptron of torchcfm, `kind = "torchcfm-mlp"`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Described


class Network(Described, nn.Module):
    """Layers with SELU over the numbers of a point and the time behind them."""

    def __init__(self, config: dict, signature: dict) -> None:
        super().__init__()
        (dim,) = signature["shape"]
        widths = [dim + 1] + [config["hidden"]] * config["depth"] + [dim]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = torch.cat([x, t[:, None]], 1)
        for layer in self.layers[:-1]:
            h = F.selu(layer(h))
        return self.layers[-1](h)

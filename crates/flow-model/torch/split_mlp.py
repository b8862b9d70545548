"""The perceptron of `kind = "split-mlp"`, with an encoder for each of its inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Described, waves, within


class CoordinateEncoder(nn.Module):
    """Sinusoids of each number, then two layers."""

    def __init__(self, dim: int, config: dict) -> None:
        super().__init__()
        features, width, band = config["features"], config["hidden"], config["band"]
        self.inner, self.outer = nn.Linear(features, width), nn.Linear(width, width)
        frequencies = within(band["lowest"], band["highest"], features // (2 * dim))
        self.register_buffer("frequencies", frequencies.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.outer(F.gelu(self.inner(waves(x, self.frequencies)))))


class Network(Described, nn.Module):
    """Encoders of x, t and a latent side by side, then layers over all of them."""

    def __init__(self, config: dict, signature: dict) -> None:
        super().__init__()
        (dim,), latent, hidden = signature["shape"], signature.get("latent", 0), config["hidden"]
        self.x, self.t = CoordinateEncoder(dim, config), CoordinateEncoder(1, config)
        width = config.get("latent_hidden", 128)
        layers = lambda widths: nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.z = layers([latent] + [width] * (config.get("latent_depth", 3) if latent else 0))
        joined = 2 * hidden + (width if latent else 0)
        self.layers = layers([joined] + [hidden] * config["depth"])
        self.out = nn.Linear(hidden, dim)

    def forward(self, x: Tensor, t: Tensor, latent=None) -> Tensor:
        parts = [self.x(x), self.t(t[:, None])]
        if len(self.z):
            for layer in self.z:
                latent = F.gelu(layer(latent))
            parts.append(latent)
        h = torch.cat(parts, 1)
        for layer in self.layers:
            h = F.gelu(layer(h))
        return self.out(h)

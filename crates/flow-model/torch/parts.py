"""A network of flow matching in plain torch: it needs torch and safetensors, nothing else.

>>> network = Network.load("DIR")       # a folder of `flow export --format pytorch --out DIR`
>>> y = network(x, t)                   # x [B, *shape], t [B] from noise (0) to data (1)

The output is the `prediction` that config.json names; a velocity is dx/dt. What the network is told
besides: `label` [B], a class, where the number of classes stands for none; `given` [B, vector] and
`context` [B, *context], numbers and rows, and `hidden` [B], true where they are hidden; `latent`
[B, latent]; `s` [B], where a flow map arrives; `lengths` [B], how many elements of a sequence are
there. Where the description has `holes`, so many numbers of `given` say what is missing in a row of
training, and are zero for samples. Where strengths of guidance are baked in, the last number of
`given` is the logarithm of the strength (one strength alone is not told).
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F


class Described:
    """A network that a description builds."""

    @classmethod
    def load(cls, folder):
        """The network of a folder, with its weights."""
        description = json.loads((Path(folder) / "config.json").read_text())
        network = cls(description["network"], description["signature"])
        network.load_state_dict(load_file(Path(folder) / "weights.safetensors"))
        return network


def scaled(sinusoids: int, scale: int) -> Tensor:
    """Frequencies from `scale` down over at least two decades."""
    place = torch.arange(sinusoids // 2, dtype=torch.float64) / (sinusoids // 2)
    return scale * max(10.0 * scale, 100.0) ** -place


def within(lowest: float, highest: float, count: int) -> Tensor:
    """Frequencies of a band, in geometric progression from the lowest."""
    place = torch.arange(count, dtype=torch.float64) / max(count - 1, 1)
    return lowest * (highest / lowest) ** place


def waves(x: Tensor, frequencies: Tensor) -> Tensor:
    """`[cos(w x), sin(w x)]` of each number of a row, `[B, d]`, and each frequency."""
    angle = (x[:, :, None] * frequencies).flatten(1)
    return torch.cat([angle.cos(), angle.sin()], 1)


def shown(given: Tensor, hidden: Tensor | None, axis: int = 1) -> Tensor:
    """Numbers with zeros where they are hidden, and a one along an axis that says so."""
    flag = torch.zeros_like(given.narrow(axis, 0, 1))
    if hidden is not None:
        where = hidden.reshape(-1, *[1] * (given.ndim - 1))
        given, flag = given.masked_fill(where, 0.0), flag + where.to(flag.dtype)
    return torch.cat([given, flag], axis)


def attended(qkv: Tensor, heads: int) -> Tensor:
    """Attention of pixels, whose queries, keys and values stand below each other, by heads."""
    b, c, h, w = qkv.shape
    qkv = qkv.reshape(b, 3, heads, c // 3 // heads, h * w)
    y = F.scaled_dot_product_attention(*qkv.transpose(3, 4).unbind(1))
    return y.transpose(2, 3).reshape(b, c // 3, h, w)


class TwoLayers(nn.Module):
    """`W2 silu(W1 x + b1) + b2`."""

    def __init__(self, size: int, width: int, output: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(size, width), nn.Linear(width, output)

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(F.silu(self.inner(x)))


class TimeEmbedding(TwoLayers):
    """Sinusoids of a time, then two layers."""

    def __init__(self, frequencies: Tensor, width: int) -> None:
        super().__init__(2 * len(frequencies), width, width)
        self.register_buffer("frequencies", frequencies.float(), persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        return super().forward(waves(t[:, None], self.frequencies))


class Told(nn.Module):
    """The sum of what time, duration, class, numbers and latent say."""

    def __init__(self, signature: dict, width: int, time: Tensor, duration: Tensor, latent=True):
        super().__init__()
        self.null, vector = signature.get("classes", 0), signature.get("vector", 0)
        size = signature.get("latent", 0) if latent else 0
        self.time = TimeEmbedding(time, width)
        self.duration = TimeEmbedding(duration, width) if signature.get("two_times") else None
        table = nn.ModuleDict({"table": nn.Embedding(self.null + 1, width)})
        self.classes = table if self.null else None
        self.vector = TwoLayers(vector + 1, width, width) if vector else None
        self.latent = TwoLayers(size, width, width) if size else None

    def told(self, t, label=None, given=None, latent=None, s=None, hidden=None):
        embedding = self.time(t)
        if self.duration is not None:
            embedding = embedding + self.duration(torch.zeros_like(t) if s is None else s - t)
        if self.classes is not None:
            none = torch.full_like(t, self.null, dtype=torch.long)
            embedding = embedding + self.classes["table"](none if label is None else label)
        if self.vector is not None:
            embedding = embedding + self.vector(shown(given, hidden))
        if latent is not None:
            embedding = embedding + self.latent(latent)
        return embedding

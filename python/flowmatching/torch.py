"""A model of flow as a `torch.nn.Module`, with nothing but torch and safetensors.

>>> from flowmatching.torch import load
>>> network, description = load("m.flow")
>>> v = network(x, t)                       # x [B, *shape], t [B] from noise (0) to data (1)

For whoever goes on training in PyTorch. It reads a file `NAME.flow`, or a folder with `model.toml`
and `weights.safetensors`, and builds the networks mlp, split-mlp and unet. Linear weights are stored
as `[in, out]` and are transposed here. The output is what the description calls `prediction`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

__all__ = ["load"]


def load(path) -> tuple[nn.Module, dict[str, Any]]:
    """The network with its weights, and the description of the model."""
    path = Path(path)
    weights = path / "weights.safetensors" if path.is_dir() else path
    with safe_open(weights, "pt") as file:
        if path.is_dir():
            text = (path / "model.toml").read_text()
        else:
            text = (file.metadata() or {}).get("flow.model")
            if text is None:
                raise ValueError(f"{path} holds weights and no description of a model")
        arrays = {name: file.get_tensor(name) for name in file.keys()}
    description = tomllib.loads(text)
    section, signature = dict(description["network"]), description["signature"]
    kind = section.pop("kind")
    if kind not in KINDS:
        raise ValueError(f"there is no network {kind} here, there are {', '.join(KINDS)}")
    network = KINDS[kind](section, signature)
    # Every linear layer of these networks has a matrix; no other parameter has two sides but tables.
    state = {
        name: array.T.contiguous() if array.ndim == 2 and ".table." not in f".{name}" else array
        for name, array in arrays.items()
    }
    network.load_state_dict(renamed(state), strict=True)
    return network, description


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """PyTorch's group norms call their scale and shift `weight` and `bias`."""
    names = {".gamma": ".weight", ".beta": ".bias"}

    def name(old: str) -> str:
        for ours, theirs in names.items():
            old = old.removesuffix(ours) + theirs if old.endswith(ours) else old
        return old

    return {name(old): array for old, array in state.items()}


class TimeEmbedding(nn.Module):
    """Sinusoids of 1000 t, then two layers."""

    def __init__(self, sinusoids: int, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(sinusoids, width), nn.Linear(width, width)
        half = sinusoids // 2
        frequencies = 1000.0 * 1e4 ** (-torch.arange(half, dtype=torch.float64) / half)
        self.register_buffer("frequencies", frequencies.float(), persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        angle = t[:, None] * self.frequencies
        sinusoids = torch.cat([angle.cos(), angle.sin()], 1)
        return self.outer(F.silu(self.inner(sinusoids)))


class ClassEmbedding(nn.Module):
    """A vector for each class, and one for none, whose index is the number of classes."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.table, self.classes = nn.Embedding(classes + 1, width), classes

    def forward(self, label: Tensor | None, rows: int) -> Tensor:
        if label is None:
            label = torch.full((rows,), self.classes, device=self.table.weight.device)
        return self.table(label)


class TwoLayers(nn.Module):
    """`W2 silu(W1 x + b1) + b2`, for latents and condition vectors."""

    def __init__(self, size: int, width: int, output: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(size, width), nn.Linear(width, output)

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(F.silu(self.inner(x)))


def shown(given: Tensor) -> Tensor:
    """A condition vector that is not hidden."""
    return torch.cat([given, torch.zeros_like(given[:, :1])], 1)


class Mlp(nn.Module):
    def __init__(self, config: dict, signature: dict) -> None:
        super().__init__()
        (dim,), time = signature["shape"], config["time_features"]
        classes, vector = signature.get("classes", 0), signature.get("vector", 0)
        self.octaves = config["fourier"]["octaves"]
        self.wavelength = config["fourier"]["wavelength"]
        widths = [dim * (1 + 2 * self.octaves) + time] + [config["hidden"]] * config["depth"]
        self.time = TimeEmbedding(time, time)
        self.classes = ClassEmbedding(classes, time) if classes else None
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.out = nn.Linear(config["hidden"], dim)
        self.vector = TwoLayers(vector + 1, time, time) if vector else None
        self.duration = TimeEmbedding(time, time) if signature.get("two_times") else None

    def load_state_dict(self, state, strict=True):
        return super().load_state_dict(class_renamed(state), strict)

    def forward(self, x, t, label=None, given=None, s=None):
        embedding = self.time(t)
        if self.duration is not None:
            embedding = embedding + self.duration(torch.zeros_like(t) if s is None else s - t)
        if self.classes is not None:
            embedding = embedding + self.classes(label, len(x))
        if self.vector is not None:
            embedding = embedding + self.vector(shown(given))
        h = torch.cat([self.features(x), embedding], 1)
        for layer in self.layers:
            h = F.silu(layer(h))
        return self.out(h)

    def features(self, x: Tensor) -> Tensor:
        if self.octaves == 0:
            return x
        octaves = torch.arange(self.octaves, dtype=torch.float64, device=x.device)
        frequencies = (2 * math.pi / self.wavelength * 2**octaves).float()
        angle = (x[:, :, None] * frequencies).flatten(1)
        return torch.cat([x, angle.cos(), angle.sin()], 1)


def class_renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """`class` is a word of Python."""
    return {
        ("classes" + name.removeprefix("class") if name.startswith("class.") else name): array
        for name, array in state.items()
    }


class CoordinateEncoder(nn.Module):
    def __init__(self, dim: int, features: int, band: dict, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(features, width), nn.Linear(width, width)
        count = features // (2 * dim)
        place = torch.arange(count, dtype=torch.float64) / max(count - 1, 1)
        frequencies = band["lowest"] * (band["highest"] / band["lowest"]) ** place
        self.register_buffer("frequencies", frequencies.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        angle = (x[:, :, None] * self.frequencies).flatten(1)
        sinusoids = torch.cat([angle.cos(), angle.sin()], 1)
        return F.gelu(self.outer(F.gelu(self.inner(sinusoids))))


class SplitMlp(nn.Module):
    def __init__(self, config: dict, signature: dict) -> None:
        super().__init__()
        (dim,), latent, hidden = signature["shape"], signature.get("latent", 0), config["hidden"]
        encoder = lambda dim: CoordinateEncoder(dim, config["features"], config["band"], hidden)
        self.x, self.t = encoder(dim), encoder(1)
        widths = [latent] + [config["latent_hidden"]] * (config["latent_depth"] if latent else 0)
        self.z = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        joined = 2 * hidden + (config["latent_hidden"] if latent else 0)
        widths = [joined] + [hidden] * config["depth"]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.out = nn.Linear(hidden, dim)

    def forward(self, x, t, latent=None):
        parts = [self.x(x), self.t(t[:, None])]
        if len(self.z):
            for layer in self.z:
                latent = F.gelu(layer(latent))
            parts.append(latent)
        h = torch.cat(parts, 1)
        for layer in self.layers:
            h = F.gelu(layer(h))
        return self.out(h)


class ResidualBlock(nn.Module):
    def __init__(self, a: int, b: int, groups: int) -> None:
        super().__init__()
        first = next(g for g in range(groups, 0, -1) if a % g == 0)
        self.norm1, self.conv1 = nn.GroupNorm(first, a), nn.Conv2d(a, b, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(groups, b), nn.Conv2d(b, b, 3, padding=1)
        self.skip = nn.Conv2d(a, b, 1) if a != b else None
        self.channels = b

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        h = self.conv2(F.silu(h * (1 + scale[:, :, None, None]) + shift[:, :, None, None]))
        return h + (x if self.skip is None else self.skip(x))


class Attention(nn.Module):
    def __init__(self, channels: int, head: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        self.heads = channels // head

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(3, 4).unbind(1)
        y = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(y.transpose(2, 3).reshape(b, c, h, w))


class Unit(nn.Module):
    def __init__(self, a: int, b: int, attention: bool, config: dict) -> None:
        super().__init__()
        self.block = ResidualBlock(a, b, config["groups"])
        head = config["head_channels"]
        self.attention = Attention(b, head, config["groups"]) if attention else None


class Resample(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=stride, padding=1)


class Stage(nn.Module):
    def __init__(self, units, down=None, up=None) -> None:
        super().__init__()
        self.units, self.downsample, self.upsample = nn.ModuleList(units), down, up


class UNet(nn.Module):
    def __init__(self, config: dict, signature: dict) -> None:
        super().__init__()
        image, height, _ = signature["shape"]
        context = signature.get("context") or []
        classes, vector = signature.get("classes", 0), signature.get("vector", 0)
        latent, channels = signature.get("latent", 0), config["channels"]
        self.bottleneck_sum = config.get("fusion") == "bottleneck-sum"
        embedding, widths = 4 * channels, [m * channels for m in config["multipliers"]]
        has = lambda level: height >> level in config["attention"]
        unit = lambda a, b, attention: Unit(a, b, attention, config)

        self.time = TimeEmbedding(channels, embedding)
        self.classes = ClassEmbedding(classes, embedding) if classes else None
        self.input = nn.Conv2d(image + (context[0] + 1 if context else 0), channels, 3, padding=1)
        skips, now, down = [channels], channels, []
        for level, width in enumerate(widths):
            units = []
            for _ in range(config["blocks"]):
                units.append(unit(now, width, has(level)))
                now = width
                skips.append(now)
            last = level + 1 == len(widths)
            down.append(Stage(units, down=None if last else Resample(now, 2)))
            skips += [] if last else [now]
        bottleneck = now
        middle = [unit(now, now, True), unit(now, now, False)]
        up = []
        for level, width in reversed(list(enumerate(widths))):
            units = []
            for _ in range(config["blocks"] + 1):
                units.append(unit(now + skips.pop(), width, has(level)))
                now = width
            up.append(Stage(units, up=Resample(now, 1) if level else None))
        self.down, self.middle = nn.ModuleList(down), nn.ModuleList(middle)
        self.up = nn.ModuleList(up)
        output = bottleneck if self.bottleneck_sum else embedding
        self.latent = TwoLayers(latent, embedding, output) if latent else None
        blocks = [m for m in self.modules() if isinstance(m, ResidualBlock)]
        self.modulation = nn.Linear(embedding, sum(2 * block.channels for block in blocks))
        self.norm = nn.GroupNorm(config["groups"], now)
        self.output = nn.Conv2d(now, image, 3, padding=1)
        self.vector = TwoLayers(vector + 1, embedding, embedding) if vector else None
        two_times = signature.get("two_times")
        self.duration = TimeEmbedding(channels, embedding) if two_times else None

    def load_state_dict(self, state, strict=True):
        return super().load_state_dict(class_renamed(state), strict)

    def forward(self, x, t, label=None, given=None, latent=None, context=None, s=None):
        embedding = self.time(t)
        if self.duration is not None:
            embedding = embedding + self.duration(torch.zeros_like(t) if s is None else s - t)
        if self.classes is not None:
            embedding = embedding + self.classes(label, len(x))
        if self.vector is not None:
            embedding = embedding + self.vector(shown(given))
        z = None if self.latent is None else self.latent(latent)
        if z is not None and not self.bottleneck_sum:
            embedding = embedding + z
        modulation, used = self.modulation(F.silu(embedding)), 0

        def pass_through(unit: Unit, h: Tensor) -> Tensor:
            nonlocal used
            c = unit.block.channels
            scale, shift = modulation[:, used : used + c], modulation[:, used + c : used + 2 * c]
            used += 2 * c
            h = unit.block(h, scale, shift)
            return h if unit.attention is None else unit.attention(h)

        if context is not None:
            x = torch.cat([x, context, torch.zeros_like(context[:, :1])], 1)
        h = self.input(x)
        skips = [h]
        for stage in self.down:
            for unit in stage.units:
                h = pass_through(unit, h)
                skips.append(h)
            if stage.downsample is not None:
                h = stage.downsample.conv(h)
                skips.append(h)
        for unit in self.middle:
            h = pass_through(unit, h)
        if z is not None and self.bottleneck_sum:
            h = 0.9 * z[:, :, None, None] + 0.1 * h
        for stage in self.up:
            for unit in stage.units:
                h = pass_through(unit, torch.cat([h, skips.pop()], 1))
            if stage.upsample is not None:
                h = stage.upsample.conv(F.interpolate(h, scale_factor=2, mode="nearest"))
        return self.output(F.silu(self.norm(h)))


KINDS = {"mlp": Mlp, "split-mlp": SplitMlp, "unet": UNet}

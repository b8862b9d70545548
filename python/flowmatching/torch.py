"""A model of flow as a `torch.nn.Module`, with nothing but torch and safetensors.

>>> from flowmatching.torch import load
>>> network, description = load("m.flow")
>>> v = network(x, t)                       # x [B, *shape], t [B] from noise (0) to data (1)

For whoever goes on training in PyTorch. It reads a file `NAME.flow`, or a folder with `model.toml`
and `weights.safetensors`, and builds the networks mlp, split-mlp, unet and dit. Linear weights are
stored as `[in, out]` and are transposed here. `hidden`, a truth value for each row, hides vector
and context, and the class that follows the last one is none. `lengths`, a whole number for each
row, says how many elements of a sequence are there, for models of sequences that end early. Where the
description has `holes`, so many numbers of `given` say what is missing in a row of training, and are
zero for samples. Where `strengths` of guidance are baked in, the last number of `given` is the logarithm of the strength
(one strength alone is not told). The output is what the description
calls `prediction`.
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
    network = KINDS[kind]({**DEFAULTS.get(kind, {}), **section}, signature)
    # Matrices are those of linear layers, and no other parameter has two sides but tables.
    state = {
        name: array.T.contiguous() if array.ndim == 2 and ".table." not in f".{name}" else array
        for name, array in arrays.items()
    }
    network.load_state_dict(renamed(state), strict=True)
    return network, description


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """PyTorch's norms have a `weight` and a `bias`, and `class` is a word of Python."""
    names = {"gamma": "weight", "beta": "bias", "class": "classes"}

    def name(old: str) -> str:
        return ".".join(names.get(part, part) for part in old.split("."))

    return {name(old): array for old, array in state.items()}


def scaled(sinusoids: int, scale: int) -> Tensor:
    """Frequencies from `scale` down over at least two decades."""
    place = torch.arange(sinusoids // 2, dtype=torch.float64) / (sinusoids // 2)
    return scale * max(10.0 * scale, 100.0) ** -place


def within(band: dict, count: int) -> Tensor:
    """`count` frequencies of a band, in geometric progression from the lowest."""
    place = torch.arange(count, dtype=torch.float64) / max(count - 1, 1)
    return band["lowest"] * (band["highest"] / band["lowest"]) ** place


class TimeEmbedding(nn.Module):
    """Sinusoids of a time, then two layers."""

    def __init__(self, frequencies: Tensor, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(2 * len(frequencies), width), nn.Linear(width, width)
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


def shown(given: Tensor, hidden: Tensor | None, axis: int = 1) -> Tensor:
    """Numbers with zeros where they are hidden, and a one along an axis that says so."""
    flag = torch.zeros_like(given.narrow(axis, 0, 1))
    if hidden is not None:
        where = hidden.reshape(-1, *[1] * (given.ndim - 1))
        given, flag = given.masked_fill(where, 0.0), flag + where.to(flag.dtype)
    return torch.cat([given, flag], axis)


class Told(nn.Module):
    """The sum of what time, duration, class, vector and latent say."""

    def __init__(self, signature: dict, width: int, time: Tensor, duration: Tensor, latent=True):
        super().__init__()
        classes, vector = signature.get("classes", 0), signature.get("vector", 0)
        size = signature.get("latent", 0) if latent else 0
        self.time = TimeEmbedding(time, width)
        self.duration = TimeEmbedding(duration, width) if signature.get("two_times") else None
        self.classes = ClassEmbedding(classes, width) if classes else None
        self.vector = TwoLayers(vector + 1, width, width) if vector else None
        self.latent = TwoLayers(size, width, width) if size else None

    def told(self, rows, t, label=None, given=None, latent=None, s=None, hidden=None):
        embedding = self.time(t)
        if self.duration is not None:
            embedding = embedding + self.duration(torch.zeros_like(t) if s is None else s - t)
        if self.classes is not None:
            embedding = embedding + self.classes(label, rows)
        if self.vector is not None:
            embedding = embedding + self.vector(shown(given, hidden))
        if latent is not None:
            embedding = embedding + self.latent(latent)
        return embedding


class Mlp(Told):
    def __init__(self, config: dict, signature: dict) -> None:
        (dim,), time = signature["shape"], config["time_features"]
        scale = config.get("time_scale", 1000)
        super().__init__(signature, time, scaled(time, scale), scaled(time, min(scale, 20)))
        self.octaves = config["fourier"]["octaves"]
        self.wavelength = config["fourier"]["wavelength"]
        widths = [dim * (1 + 2 * self.octaves) + time] + [config["hidden"]] * config["depth"]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.out = nn.Linear(config["hidden"], dim)

    def forward(self, x, t, label=None, given=None, s=None, hidden=None):
        embedding = self.told(len(x), t, label, given, s=s, hidden=hidden)
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


class CoordinateEncoder(nn.Module):
    def __init__(self, dim: int, features: int, band: dict, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(features, width), nn.Linear(width, width)
        frequencies = within(band, features // (2 * dim)).float()
        self.register_buffer("frequencies", frequencies, persistent=False)

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


class UNet(Told):
    def __init__(self, config: dict, signature: dict) -> None:
        image, height, _ = signature["shape"]
        context = signature.get("context") or []
        latent, channels = signature.get("latent", 0), config["channels"]
        scale, embedding = config.get("time_scale", 1000), 4 * channels
        times = scaled(channels, scale), scaled(channels, min(scale, 20))
        summed = config.get("fusion") != "bottleneck-sum"
        super().__init__(signature, embedding, *times, latent=summed)
        widths = [m * channels for m in config["multipliers"]]
        has = lambda level: height >> level in config["attention"]
        unit = lambda a, b, attention: Unit(a, b, attention, config)

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
        self.mixed = latent > 0 and not summed
        if self.mixed:
            self.latent = TwoLayers(latent, embedding, bottleneck)
        blocks = [m for m in self.modules() if isinstance(m, ResidualBlock)]
        self.modulation = nn.Linear(embedding, sum(2 * block.channels for block in blocks))
        self.norm = nn.GroupNorm(config["groups"], now)
        self.output = nn.Conv2d(now, image, 3, padding=1)

    def forward(self, x, t, label=None, given=None, latent=None, context=None, s=None, hidden=None):
        z = self.latent(latent) if self.mixed else None
        summed = None if self.mixed else latent
        embedding = self.told(len(x), t, label, given, summed, s, hidden)
        modulation, used = self.modulation(F.silu(embedding)), 0

        def pass_through(unit: Unit, h: Tensor) -> Tensor:
            nonlocal used
            c = unit.block.channels
            scale, shift = modulation[:, used : used + c], modulation[:, used + c : used + 2 * c]
            used += 2 * c
            h = unit.block(h, scale, shift)
            return h if unit.attention is None else unit.attention(h)

        if context is not None:
            x = torch.cat([x, shown(context, hidden)], 1)
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
        if z is not None:
            h = 0.9 * z[:, :, None, None] + 0.1 * h
        for stage in self.up:
            for unit in stage.units:
                h = pass_through(unit, torch.cat([h, skips.pop()], 1))
            if stage.upsample is not None:
                h = stage.upsample.conv(F.interpolate(h, scale_factor=2, mode="nearest"))
        return self.output(F.silu(self.norm(h)))


class Tokens:
    """Rows as tokens, and back."""

    def __init__(self, shape: list[int], patch: int) -> None:
        self.shape, self.patch = tuple(shape), patch
        if len(shape) == 1:
            self.count, self.width = shape[0], shape[0]
        elif len(shape) == 2:
            self.count, self.width = shape
        else:
            channels, self.rows, self.columns = shape[0], shape[1] // patch, shape[2] // patch
            self.count, self.width = self.rows * self.columns, channels * patch * patch

    def split(self, x: Tensor) -> Tensor:
        if len(self.shape) == 1:
            return torch.diag_embed(x)  # a token for each number, at its own place
        if len(self.shape) == 2:
            return x
        sides = (-1, self.shape[0], self.rows, self.patch, self.columns, self.patch)
        return x.reshape(sides).permute(0, 2, 4, 3, 5, 1).reshape(-1, self.count, self.width)

    def join(self, tokens: Tensor) -> Tensor:
        if len(self.shape) == 1:
            return tokens.diagonal(dim1=1, dim2=2)
        if len(self.shape) == 2:
            return tokens
        sides = (-1, self.rows, self.columns, self.patch, self.patch, self.shape[0])
        return tokens.reshape(sides).permute(0, 5, 1, 3, 2, 4).reshape(-1, *self.shape)

    def positions(self, width: int) -> Tensor:
        def waves(place: Tensor, width: int) -> Tensor:
            power = torch.arange(width // 2, dtype=torch.float64) / (width // 2)
            angle = place[:, None] * 1e4**-power
            return torch.cat([angle.sin(), angle.cos()], 1)

        token = torch.arange(self.count, dtype=torch.float64)
        if len(self.shape) < 3:
            return waves(token, width)
        parts = [token % self.columns, token.div(self.columns, rounding_mode="floor")]
        return torch.cat([waves(part, width // 2) for part in parts], 1)

    def lies_on(self, other: "Tokens") -> bool:
        ranks, patches = len(self.shape), (self.shape[1:], other.shape[1:])
        same = self.count == other.count if ranks == 2 else patches[0] == patches[1]
        return ranks == len(other.shape) and ranks > 1 and same


class Block(nn.Module):
    def __init__(self, width: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.modulation = nn.Linear(width, 6 * width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads, self.epsilon = heads, epsilon

    def forward(self, h: Tensor, condition: Tensor, there: Tensor | None) -> Tensor:
        b1, s1, g1, b2, s2, g2 = self.modulation(condition)[:, None].chunk(6, 2)
        h = h + g1 * self.attend(normed(h, 1e-6) * (1 + s1) + b1, there)
        inner = normed(h, self.epsilon) * (1 + s2) + b2
        return h + g2 * self.down(F.gelu(self.up(inner), approximate="tanh"))

    def attend(self, h: Tensor, there: Tensor | None) -> Tensor:
        b, n, d = h.shape
        q, k, v = self.qkv(h).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mask = None if there is None else there[:, None, None]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(b, n, d))


def normed(h: Tensor, epsilon: float) -> Tensor:
    return F.layer_norm(h, h.shape[-1:], eps=epsilon)


class Head(nn.Module):
    def __init__(self, width: int, output: int) -> None:
        super().__init__()
        self.modulation, self.out = nn.Linear(width, 2 * width), nn.Linear(width, output)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        shift, scale = self.modulation(condition)[:, None].chunk(2, 2)
        return self.out(normed(h, 1e-6) * (1 + scale) + shift)


class Dit(nn.Module):
    def __init__(self, config: dict, signature: dict) -> None:
        super().__init__()
        width, depth, given = config["hidden"], config["depth"], signature.get("context")
        self.grid = Tokens(signature["shape"], config["patch"])
        self.given = Tokens(given, config["patch"]) if given else None
        joined = self.given is not None and self.given.lies_on(self.grid)
        more = self.given.width + 1 if joined else 0
        self.input = nn.Linear(self.grid.width + more, width)
        positions = [self.grid.positions(width)]
        self.context = None
        if self.given is not None and not joined:
            self.context = nn.Linear(self.given.width + 1, width)
            positions.append(self.given.positions(width))
        self.register_buffer("positions", torch.cat(positions).float(), persistent=False)
        epsilon = config.get("mlp_epsilon", 1e-6)
        self.blocks = nn.ModuleList(Block(width, config["heads"], epsilon) for _ in range(depth))
        self.head = Head(width, self.grid.width)
        band = {"lowest": 0.1, "highest": 1000.0, **config["time"]}
        slow = {key: min(frequency, 20.0) for key, frequency in band.items()}
        times = [within(band, 128).flip(0) for band in (band, slow)]
        count = depth if config.get("embeddings") == "each-block" else 1
        self.embeddings = nn.ModuleList(Told(signature, width, *times) for _ in range(count))

    def forward(
        self,
        x,
        t,
        label=None,
        given=None,
        latent=None,
        context=None,
        s=None,
        hidden=None,
        lengths=None,
    ):
        told = (len(x), t, label, given, latent, s, hidden)
        # Of sequences that end early, the elements that are there.
        place = torch.arange(self.grid.count, device=x.device)
        there = None if lengths is None else place < lengths[:, None]
        conditions = [F.silu(embedding.told(*told)) for embedding in self.embeddings]
        rows = self.grid.split(x)
        if self.given is None:
            h = self.input(rows)
        else:
            further = shown(self.given.split(context), hidden, 2)
            if self.context is None:
                h = self.input(torch.cat([rows, further], 2))
            else:
                h = torch.cat([self.input(rows), self.context(further)], 1)
        h = h + self.positions
        for i, block in enumerate(self.blocks):
            h = block(h, conditions[min(i, len(conditions) - 1)], there)
        h = self.head(h[:, : self.grid.count], conditions[0])
        return self.grid.join(h if there is None else h * there[:, :, None])


KINDS = {"mlp": Mlp, "split-mlp": SplitMlp, "unet": UNet, "dit": Dit}

# What a description may leave out.
DEFAULTS = {
    "split-mlp": {"latent_hidden": 128, "latent_depth": 3},
    "dit": {"hidden": 128, "depth": 4, "heads": 4, "patch": 2, "time": {}},
}

"""The U-Net of `kind = "unet"`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Described, Told, TwoLayers, attended, scaled, shown


def conv(a: int, b: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(a, b, 3, stride=stride, padding=1)


class Block(nn.Module):
    """Two convolutions with a skip; the second norm is scaled and shifted by what is told."""

    def __init__(self, a: int, b: int, groups: int) -> None:
        super().__init__()
        first = next(g for g in range(groups, 0, -1) if a % g == 0)
        self.norm1, self.conv1 = nn.GroupNorm(first, a), conv(a, b)
        self.norm2, self.conv2 = nn.GroupNorm(groups, b), conv(b, b)
        self.skip = nn.Conv2d(a, b, 1) if a != b else None

    def forward(self, x: Tensor, modulation) -> Tensor:
        scale, shift = (next(modulation)[:, :, None, None] for _ in range(2))
        h = self.norm2(self.conv1(F.silu(self.norm1(x)))) * (1 + scale) + shift
        return self.conv2(F.silu(h)) + (x if self.skip is None else self.skip(x))


class Attention(nn.Module):
    def __init__(self, channels: int, head: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        self.heads = channels // head

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(attended(self.qkv(self.norm(x)), self.heads))


class Unit(nn.Module):
    def __init__(self, a: int, b: int, attention: bool, config: dict) -> None:
        super().__init__()
        head, groups = config["head_channels"], config["groups"]
        self.block = Block(a, b, groups)
        self.attention = Attention(b, head, groups) if attention else nn.Identity()

    def forward(self, x: Tensor, modulation) -> Tensor:
        return self.attention(self.block(x, modulation))


def stage(units: list[Unit], way: str, resample: nn.Conv2d | None) -> nn.ModuleDict:
    """The units of one size, and what leads to the next one."""
    parts = nn.ModuleDict({"units": nn.ModuleList(units)})
    if resample is not None:
        parts[way] = nn.ModuleDict({"conv": resample})
    return parts


class Network(Described, Told):
    def __init__(self, config: dict, signature: dict) -> None:
        image, height, _ = signature["shape"]
        context, latent = signature.get("context"), signature.get("latent", 0)
        channels, blocks = config["channels"], config["blocks"]
        scale, embedding = config.get("time_scale", 1000), 4 * channels
        times = scaled(channels, scale), scaled(channels, min(scale, 20))
        summed = config.get("fusion") != "bottleneck-sum"
        super().__init__(signature, embedding, *times, latent=summed)
        widths = [m * channels for m in config["multipliers"]]
        attends = [height >> level in config["attention"] for level in range(len(widths))]
        self.input = conv(image + (context[0] + 1 if context else 0), channels)
        skips, now, down, up = [channels], channels, [], []
        for level, width in enumerate(widths):
            units, last = [], level + 1 == len(widths)
            for _ in range(blocks):
                units.append(Unit(now, width, attends[level], config))
                now = width
                skips.append(now)
            skips += [] if last else [now]
            down.append(stage(units, "downsample", None if last else conv(now, now, 2)))
        self.mixed = latent > 0 and not summed
        if self.mixed:
            self.latent = TwoLayers(latent, embedding, now)
        middle = [Unit(now, now, attention, config) for attention in (True, False)]
        for level, width in reversed(list(enumerate(widths))):
            units = []
            for _ in range(blocks + 1):
                units.append(Unit(now + skips.pop(), width, attends[level], config))
                now = width
            up.append(stage(units, "upsample", conv(now, now) if level else None))
        self.down, self.middle, self.up = map(nn.ModuleList, (down, middle, up))
        convs = [block.conv1 for block in self.modules() if isinstance(block, Block)]
        self.modulated = [layer.out_channels for layer in convs for _ in range(2)]
        self.modulation = nn.Linear(embedding, sum(self.modulated))
        self.norm = nn.GroupNorm(config["groups"], now)
        self.output = conv(now, image)

    def forward(self, x: Tensor, t: Tensor, context=None, latent=None, hidden=None, **told):
        summed = None if self.mixed else latent
        embedding = self.told(t, latent=summed, hidden=hidden, **told)
        modulation = iter(self.modulation(F.silu(embedding)).split(self.modulated, 1))
        h = self.input(x if context is None else torch.cat([x, shown(context, hidden)], 1))
        skips = [h]
        for level in self.down:
            for unit in level["units"]:
                h = unit(h, modulation)
                skips.append(h)
            if "downsample" in level:
                h = level["downsample"]["conv"](h)
                skips.append(h)
        for unit in self.middle:
            h = unit(h, modulation)
        if self.mixed:
            h = 0.9 * self.latent(latent)[:, :, None, None] + 0.1 * h
        for level in self.up:
            for unit in level["units"]:
                h = unit(torch.cat([h, skips.pop()], 1), modulation)
            if "upsample" in level:
                h = level["upsample"]["conv"](F.interpolate(h, scale_factor=2, mode="nearest"))
        return self.output(F.silu(self.norm(h)))

"""The U-Net of torchcfm and diffusers, `kind = "adm-unet"`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Described, Told, attended, within


def halved(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 2)


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def norm(channels: int, config: dict) -> nn.GroupNorm:
    return nn.GroupNorm(config["groups"], channels, config["epsilon"])


class Residual(nn.Module):
    """Two convolutions with a skip; what is told is added, or scales and shifts the second norm."""

    def __init__(self, a: int, b: int, config: dict) -> None:
        super().__init__()
        self.modulated = config["modulated"]
        self.norm1, self.conv1 = norm(a, config), nn.Conv2d(a, b, 3, padding=1)
        self.told = nn.Linear(4 * config["width"], 2 * b if self.modulated else b)
        self.norm2, self.conv2 = norm(b, config), nn.Conv2d(b, b, 3, padding=1)
        self.skip = nn.Conv2d(a, b, 1) if a != b else None

    def forward(self, x: Tensor, told: Tensor, resized=lambda x: x) -> Tensor:
        h = self.conv1(resized(F.silu(self.norm1(x))))
        x, told = resized(x), self.told(told)[:, :, None, None]
        if self.modulated:
            scale, shift = told.chunk(2, 1)
            h = self.norm2(h) * (1 + scale) + shift
        else:
            h = self.norm2(h + told)
        return self.conv2(F.silu(h)) + (x if self.skip is None else self.skip(x))


class Attention(nn.Module):
    def __init__(self, channels: int, heads: int, before: nn.Module) -> None:
        super().__init__()
        self.norm, self.heads = before, heads
        self.qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(attended(self.qkv(self.norm(x)), self.heads))


class Unit(nn.Module):
    def __init__(self, a: int, b: int, attention: bool, config: dict, normed=True) -> None:
        super().__init__()
        ((kind, number),) = config["heads"].items()
        heads = number if kind == "count" else b // number
        before = norm(b, config) if normed else nn.Identity()
        self.residual = Residual(a, b, config)
        self.attention = Attention(b, heads, before) if attention else nn.Identity()

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        return self.attention(self.residual(x, told))


class Resample(nn.Module):
    """The way to the next size: a convolution or a residual block."""

    def __init__(self, channels: int, config: dict, up: bool) -> None:
        super().__init__()
        self.resized = doubled if up else halved
        self.conv = self.residual = None
        if config["residual_resampling"]:
            self.residual = Residual(channels, channels, config)
        else:
            self.conv = nn.Conv2d(channels, channels, 3, stride=1 if up else 2, padding=1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        if self.residual is not None:
            return self.residual(x, told, self.resized)
        return self.conv(doubled(x) if self.resized is doubled else x)


def stage(units: list[Unit], resample: Resample | None) -> nn.ModuleDict:
    """The units of one size, and what leads to the next one."""
    parts = nn.ModuleDict({"units": nn.ModuleList(units)})
    if resample is not None:
        parts["resample"] = resample
    return parts


class Network(Described, Told):
    def __init__(self, config: dict, signature: dict) -> None:
        (image, _, _), width, band = signature["shape"], config["width"], config["time"]
        times = within(band["highest"], band["lowest"], width // 2)
        super().__init__(signature, 4 * width, times, times)
        levels = list(zip(config["channels"], config["attention"]))
        now = levels[0][0]
        self.input = nn.Conv2d(image, now, 3, padding=1)
        skips, down, up = [now], [], []
        for level, (channels, attention) in enumerate(levels):
            units, last = [], level + 1 == len(levels)
            for _ in range(config["blocks"]):
                units.append(Unit(now, channels, attention, config))
                now = channels
                skips.append(now)
            skips += [] if last else [now]
            down.append(stage(units, None if last else Resample(now, config, up=False)))
        middle = [Unit(now, now, here, config, config["normed_middle"]) for here in (True, False)]
        for level, (channels, attention) in reversed(list(enumerate(levels))):
            units = []
            for _ in range(config["blocks"] + 1):
                units.append(Unit(now + skips.pop(), channels, attention, config))
                now = channels
            up.append(stage(units, Resample(now, config, up=True) if level else None))
        self.down, self.middle, self.up = map(nn.ModuleList, (down, middle, up))
        self.norm, self.output = norm(now, config), nn.Conv2d(now, image, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        told = F.silu(self.told(t, label))
        h = self.input(x)
        skips = [h]
        for level in self.down:
            for unit in level["units"]:
                h = unit(h, told)
                skips.append(h)
            if "resample" in level:
                h = level["resample"](h, told)
                skips.append(h)
        for unit in self.middle:
            h = unit(h, told)
        for level in self.up:
            for unit in level["units"]:
                h = unit(torch.cat([h, skips.pop()], 1), told)
            if "resample" in level:
                h = level["resample"](h, told)
        return self.output(F.silu(self.norm(h)))

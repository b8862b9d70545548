"""The networks of crates/flow-nn in PyTorch, layer by layer, without classes."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def zeroed(layer):
    """Residual branches and outputs start at zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def conv(width, to, kernel, stride=1):
    return nn.Conv2d(width, to, kernel, stride=stride, padding=kernel // 2)


class TimeEmbedding(nn.Module):
    def __init__(self, sinusoids, width):
        super().__init__()
        half = sinusoids // 2
        exponents = torch.arange(half, dtype=torch.float64) / half
        frequencies = 1000.0 * torch.exp(-math.log(1e4) * exponents)
        self.register_buffer("frequencies", frequencies.float())
        self.inner = nn.Linear(sinusoids, width)
        self.outer = nn.Linear(width, width)

    def forward(self, t):
        angle = t[:, None] * self.frequencies
        return self.outer(F.silu(self.inner(torch.cat([angle.cos(), angle.sin()], 1))))


class Mlp(nn.Module):
    def __init__(self, dim=2, hidden=256, depth=3, time_features=64):
        super().__init__()
        self.time = TimeEmbedding(time_features, time_features)
        widths = [dim + time_features] + [hidden] * depth
        self.layers = nn.ModuleList(map(nn.Linear, widths, widths[1:]))
        self.out = nn.Linear(hidden, dim)

    def forward(self, x, t):
        h = torch.cat([x, self.time(t)], 1)
        for layer in self.layers:
            h = F.silu(layer(h))
        return self.out(h)


def xavier(width, to):
    layer = nn.Linear(width, to)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class DitBlock(nn.Module):
    """Attention and an MLP, shifted, scaled and gated by the condition (adaLN-Zero)."""

    def __init__(self, width, heads):
        super().__init__()
        self.modulation = zeroed(nn.Linear(width, 6 * width))
        self.qkv, self.out = xavier(width, 3 * width), xavier(width, width)
        self.up, self.down = xavier(width, 4 * width), xavier(4 * width, width)
        self.heads, self.width = heads, width

    def forward(self, h, condition):
        b1, s1, g1, b2, s2, g2 = self.modulation(condition)[:, None].chunk(6, 2)
        normed = lambda h: F.layer_norm(h, (self.width,), eps=1e-6)
        b, n, d = h.shape
        qkv = self.qkv(normed(h) * (1 + s1) + b1).reshape(b, n, 3, self.heads, d // self.heads)
        y = F.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4))
        h = h + g1 * self.out(y.transpose(1, 2).reshape(b, n, d))
        inner = self.up(normed(h) * (1 + s2) + b2)
        return h + g2 * self.down(F.gelu(inner, approximate="tanh"))


class Dit(nn.Module):
    """The transformer S: 12 blocks of 384 numbers and 6 heads, on patches."""

    def __init__(self, image_channels, size, patch, width=384, depth=12, heads=6):
        super().__init__()
        self.side, self.patch, self.channels = size // patch, patch, image_channels
        numbers = image_channels * patch * patch
        self.input = xavier(numbers, width)
        self.time = TimeEmbedding(256, width)
        self.blocks = nn.ModuleList(DitBlock(width, heads) for _ in range(depth))
        self.modulation, self.output = zeroed(nn.Linear(width, 2 * width)), xavier(width, numbers)
        zeroed(self.output)
        self.register_buffer("positions", torch.randn(1, self.side**2, width))
        self.width = width

    def forward(self, x, t):
        b, c, p, side = len(x), self.channels, self.patch, self.side
        x = x.reshape(b, c, side, p, side, p).permute(0, 2, 4, 3, 5, 1).reshape(b, side * side, -1)
        h, condition = self.input(x) + self.positions, F.silu(self.time(t))
        for block in self.blocks:
            h = block(h, condition)
        shift, scale = self.modulation(condition)[:, None].chunk(2, 2)
        h = self.output(F.layer_norm(h, (self.width,), eps=1e-6) * (1 + scale) + shift)
        h = h.reshape(b, side, side, p, p, c).permute(0, 5, 1, 3, 2, 4)
        return h.reshape(b, c, side * p, side * p)


class ResidualBlock(nn.Module):
    def __init__(self, width, to, groups):
        super().__init__()
        input_groups = next(g for g in range(groups, 0, -1) if width % g == 0)
        self.norm1 = nn.GroupNorm(input_groups, width)
        self.conv1 = conv(width, to, 3)
        self.norm2 = nn.GroupNorm(groups, to)
        self.conv2 = zeroed(conv(to, to, 3))
        self.skip = nn.Identity() if width == to else conv(width, to, 1)
        self.channels = to

    def forward(self, x, scale, shift):
        h = self.conv1(F.silu(self.norm1(x)))
        h = F.silu(self.norm2(h) * (1 + scale[:, :, None, None]) + shift[:, :, None, None])
        return self.skip(x) + self.conv2(h)


class Attention(nn.Module):
    def __init__(self, channels, head_channels, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = conv(channels, 3 * channels, 1)
        self.out = zeroed(conv(channels, channels, 1))
        self.heads = channels // head_channels

    def forward(self, x):
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(3, 4).unbind(1)
        y = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(y.transpose(2, 3).reshape(b, c, h, w))


class Unit(nn.Module):
    def __init__(self, width, to, groups, head_channels, attention):
        super().__init__()
        self.block = ResidualBlock(width, to, groups)
        self.attention = Attention(to, head_channels, groups) if attention else nn.Identity()

    def forward(self, x, modulation):
        channels = self.block.channels
        scale, shift = next(modulation), next(modulation)
        assert scale.shape[1] == shift.shape[1] == channels
        return self.attention(self.block(x, scale, shift))


class UNet(nn.Module):
    def __init__(
        self,
        image_channels,
        size,
        attention,
        channels=32,
        multipliers=(1, 2, 2),
        blocks=1,
        head_channels=32,
        groups=8,
    ):
        super().__init__()
        widths = [channels * m for m in multipliers]
        last = len(widths) - 1
        modulated = []

        def unit(width, to, attend):
            modulated.extend([to, to])
            return Unit(width, to, groups, head_channels, attend)

        self.input = conv(image_channels, channels, 3)
        skips, now = [channels], channels
        self.down, self.downsample = nn.ModuleList(), nn.ModuleList()
        for level, width in enumerate(widths):
            units = nn.ModuleList()
            for _ in range(blocks):
                units.append(unit(now, width, size >> level in attention))
                now = width
                skips.append(now)
            self.down.append(units)
            if level < last:
                self.downsample.append(conv(now, now, 3, stride=2))
                skips.append(now)
        self.middle = nn.ModuleList([unit(now, now, True), unit(now, now, False)])
        self.up, self.upsample = nn.ModuleList(), nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            units = nn.ModuleList()
            for _ in range(blocks + 1):
                units.append(unit(now + skips.pop(), width, size >> level in attention))
                now = width
            self.up.append(units)
            if level > 0:
                self.upsample.append(conv(now, now, 3))
        self.time = TimeEmbedding(channels, 4 * channels)
        self.modulation = nn.Linear(4 * channels, sum(modulated))
        self.norm = nn.GroupNorm(groups, now)
        self.output = zeroed(conv(now, image_channels, 3))
        self.modulated = modulated

    def forward(self, x, t):
        modulation = iter(self.modulation(F.silu(self.time(t))).split(self.modulated, 1))
        h = self.input(x)
        skips = [h]
        for level, units in enumerate(self.down):
            for unit in units:
                h = unit(h, modulation)
                skips.append(h)
            if level < len(self.downsample):
                h = self.downsample[level](h)
                skips.append(h)
        for unit in self.middle:
            h = unit(h, modulation)
        for level, units in enumerate(self.up):
            for unit in units:
                h = unit(torch.cat([h, skips.pop()], 1), modulation)
            if level < len(self.upsample):
                h = self.upsample[level](F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.output(F.silu(self.norm(h)))

"""The transformer of `kind = "dit"`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .parts import Described, Told, shown, within


class Tokens:
    """Rows as tokens, and back: the numbers of a point, the elements of a sequence, patches."""

    def __init__(self, shape: list[int], patch: int) -> None:
        self.shape, self.patch = tuple(shape), patch
        if len(shape) < 3:
            self.count, self.width = shape[0], shape[-1]
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
        """Sines and cosines of where a token stands; of patches, of the column, then of the row."""
        token = torch.arange(self.count, dtype=torch.float64)
        places = [token]
        if len(self.shape) == 3:
            places = [token % self.columns, token.div(self.columns, rounding_mode="floor")]
        half = width // (2 * len(places))
        frequencies = 1e4 ** -(torch.arange(half, dtype=torch.float64) / half)
        angles = [place[:, None] * frequencies for place in places]
        return torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], 1)

    def lies_on(self, other: Tokens) -> bool:
        """Whether each token of one belongs to a token of the other."""
        ranks = len(self.shape), len(other.shape)
        if ranks == (3, 3):
            return self.shape[1:] == other.shape[1:]
        return ranks == (2, 2) and self.count == other.count


def normed(h: Tensor, epsilon: float = 1e-6) -> Tensor:
    return F.layer_norm(h, h.shape[-1:], eps=epsilon)


class Block(nn.Module):
    """Attention and two layers, each modulated by the condition (adaLN-Zero)."""

    def __init__(self, width: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.modulation = nn.Linear(width, 6 * width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads, self.epsilon = heads, epsilon

    def forward(self, h: Tensor, condition: Tensor, there: Tensor | None) -> Tensor:
        b1, s1, g1, b2, s2, g2 = self.modulation(condition)[:, None].chunk(6, 2)
        h = h + g1 * self.attend(normed(h) * (1 + s1) + b1, there)
        inner = normed(h, self.epsilon) * (1 + s2) + b2
        return h + g2 * self.down(F.gelu(self.up(inner), approximate="tanh"))

    def attend(self, h: Tensor, there: Tensor | None) -> Tensor:
        b, n, d = h.shape
        q, k, v = self.qkv(h).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mask = None if there is None else there[:, None, None]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(b, n, d))


class Head(nn.Module):
    def __init__(self, width: int, output: int) -> None:
        super().__init__()
        self.modulation, self.out = nn.Linear(width, 2 * width), nn.Linear(width, output)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        shift, scale = self.modulation(condition)[:, None].chunk(2, 2)
        return self.out(normed(h) * (1 + scale) + shift)


class Network(Described, nn.Module):
    def __init__(self, config: dict, signature: dict) -> None:
        super().__init__()
        width, depth, context = config["hidden"], config["depth"], signature.get("context")
        self.grid = Tokens(signature["shape"], config["patch"])
        self.given = Tokens(context, config["patch"]) if context else None
        joined = self.given is not None and self.given.lies_on(self.grid)
        self.input = nn.Linear(self.grid.width + (self.given.width + 1 if joined else 0), width)
        positions, self.context = [self.grid.positions(width)], None
        if self.given is not None and not joined:
            self.context = nn.Linear(self.given.width + 1, width)
            positions.append(self.given.positions(width))
        self.register_buffer("positions", torch.cat(positions).float(), persistent=False)
        epsilon = config.get("mlp_epsilon", 1e-6)
        self.blocks = nn.ModuleList(Block(width, config["heads"], epsilon) for _ in range(depth))
        self.head = Head(width, self.grid.width)
        band = {"lowest": 0.1, "highest": 1000.0, **config.get("time", {})}
        ends = band["lowest"], band["highest"]
        slow = [min(end, 20.0) for end in ends]  # of the duration of a flow map's jump
        times = [within(*ends, 128).flip(0) for ends in (ends, slow)]
        count = depth if config.get("embeddings") == "each-block" else 1
        self.embeddings = nn.ModuleList(Told(signature, width, *times) for _ in range(count))

    def forward(self, x: Tensor, t: Tensor, context=None, hidden=None, lengths=None, **told):
        each = (embedding.told(t, hidden=hidden, **told) for embedding in self.embeddings)
        conditions = [F.silu(embedding) for embedding in each]
        place = torch.arange(self.grid.count, device=x.device)
        there = None if lengths is None else place < lengths[:, None]
        h = self.grid.split(x)
        if self.given is None:
            h = self.input(h)
        else:
            further = shown(self.given.split(context), hidden, 2)
            if self.context is None:
                h = self.input(torch.cat([h, further], 2))
            else:
                h = torch.cat([self.input(h), self.context(further)], 1)
        h = h + self.positions
        for i, block in enumerate(self.blocks):
            h = block(h, conditions[min(i, len(conditions) - 1)], there)
        h = self.head(h[:, : self.grid.count], conditions[0])
        return self.grid.join(h if there is None else h * there[:, :, None])

"""One step of training of a SiT in plain PyTorch: loss and gradients of every weight.

    python benches/peers/import_gradients.py crates/flow-import/tests/reference

The network has the arrays of the published code (Ma et al. 2024, arXiv:2401.08740, MIT), small and
with random numbers in each. Written are its weights and configuration (`sit_step.*`), one batch with
the loss of flow matching (`sit_step_io.safetensors`), and the gradients under the names of the
weights (`sit_step_gradients.safetensors`), all computed in double precision. The test
`crates/flow-import/tests/gradients.rs` reads them. Needs torch and safetensors.
"""

import json
import math
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

CONFIG = {
    "input_size": 6,
    "patch_size": 2,
    "in_channels": 2,
    "hidden_size": 16,
    "depth": 2,
    "num_heads": 2,
    "mlp_ratio": 4.0,
    "class_dropout_prob": 0.1,
    "num_classes": 3,
    "learn_sigma": False,
    "out_channels_of_the_linear": 2,
}
SINUSOIDS = 256


class Patches(nn.Module):
    def __init__(self, channels, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Time(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(SINUSOIDS, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t):
        half = SINUSOIDS // 2
        frequencies = torch.exp(-math.log(1e4) * torch.arange(half, dtype=t.dtype) / half)
        angle = t[:, None] * frequencies
        return self.mlp(torch.cat([angle.cos(), angle.sin()], 1))


class Classes(nn.Module):
    def __init__(self, classes, width):
        super().__init__()
        self.embedding_table = nn.Embedding(classes + 1, width)

    def forward(self, y):
        return self.embedding_table(y)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads = heads

    def forward(self, x):
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(*qkv)
        return self.proj(y.transpose(1, 2).reshape(b, n, c))


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


def modulated(x, shift, scale):
    x = F.layer_norm(x, x.shape[-1:], eps=1e-6)
    return x * (1 + scale[:, None]) + shift[:, None]


class Block(nn.Module):
    def __init__(self, width, heads, ratio):
        super().__init__()
        self.attn, self.mlp = Attention(width, heads), Mlp(width, int(ratio * width))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(self, x, c):
        b1, s1, g1, b2, s2, g2 = self.adaLN_modulation(c).chunk(6, 1)
        x = x + g1[:, None] * self.attn(modulated(x, b1, s1))
        return x + g2[:, None] * self.mlp(modulated(x, b2, s2))


class Last(nn.Module):
    def __init__(self, width, numbers):
        super().__init__()
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.linear = nn.Linear(width, numbers)

    def forward(self, x, c):
        return self.linear(modulated(x, *self.adaLN_modulation(c).chunk(2, 1)))


def positions(width, side):
    """Sines and cosines of the column in the first half, of the row in the second."""
    frequencies = 1e4 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    parts = []
    for place in (columns, rows):
        angle = place.flatten()[:, None] * frequencies
        parts += [angle.sin(), angle.cos()]
    return torch.cat(parts, 1)[None]


class SiT(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, patch = config["hidden_size"], config["patch_size"]
        channels, self.side = config["in_channels"], config["input_size"] // patch
        self.x_embedder = Patches(channels, width, patch)
        self.t_embedder = Time(width)
        self.y_embedder = Classes(config["num_classes"], width)
        self.pos_embed = nn.Parameter(positions(width, self.side), requires_grad=False)
        heads, ratio = config["num_heads"], config["mlp_ratio"]
        self.blocks = nn.ModuleList(Block(width, heads, ratio) for _ in range(config["depth"]))
        self.final_layer = Last(width, patch * patch * channels)
        self.patch, self.channels = patch, channels

    def forward(self, x, t, y):
        h = self.x_embedder(x) + self.pos_embed
        c = self.t_embedder(t) + self.y_embedder(y)
        for block in self.blocks:
            h = block(h, c)
        h = self.final_layer(h, c)
        b, p, side = len(x), self.patch, self.side
        h = h.reshape(b, side, side, p, p, self.channels).permute(0, 5, 1, 3, 2, 4)
        return h.reshape(b, self.channels, side * p, side * p)


def main():
    out = pathlib.Path(sys.argv[1])
    torch.manual_seed(1)
    model = SiT(CONFIG).double()
    for parameter in model.parameters():
        if parameter.requires_grad:
            fan = math.prod(parameter.shape[1:]) if parameter.dim() > 1 else 100
            # Single precision, so that both programs begin with the same weights.
            parameter.data = (torch.randn(parameter.shape) / math.sqrt(fan)).double()
    size = (4, CONFIG["in_channels"], CONFIG["input_size"], CONFIG["input_size"])
    x0, x1 = torch.randn(size), torch.randn(size)
    t, y = torch.tensor([0.05, 0.3, 0.62, 0.97]), torch.tensor([0, 2, 1, 3])
    x = (1 - t)[:, None, None, None] * x0 + t[:, None, None, None] * x1
    target = x1 - x0
    loss = (model(x.double(), t.double(), y) - target.double()).square().mean()
    loss.backward()

    weights = {name: p.detach().float().contiguous() for name, p in model.named_parameters()}
    gradients = {
        name: weights[name] if p.grad is None else p.grad.float().contiguous()
        for name, p in model.named_parameters()
    }
    save_file(weights, out / "sit_step.safetensors")
    save_file(gradients, out / "sit_step_gradients.safetensors")
    step = {"x": x, "t": t, "y": y, "target": target, "loss": loss.detach().float()[None]}
    save_file(step, out / "sit_step_io.safetensors")
    (out / "sit_step.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    print(f"{sum(p.numel() for p in model.parameters())} numbers, loss {loss.item():.6f}")


main()

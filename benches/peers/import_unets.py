"""What U-Nets of torchcfm and diffusers answer, whose weights follow from a formula.

    python benches/peers/import_unets.py crates/flow-import/tests/reference

The networks are as large as the programs make them, and their weights would take megabytes. So no
weights are written: number `i` of the array `name` is a hash of both, which the test
`crates/flow-import/tests/formula.rs` computes too. Written are the configuration with the shapes of
all arrays (`NAME.json`), and rows, times and classes with the answers (`NAME_io.safetensors`).
Needs torch, safetensors, torchcfm 1.0.7 and diffusers 0.42.1.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file
from torchcfm.models.unet.unet import UNetModelWrapper

MASK = (1 << 64) - 1


def fnv(name: str) -> int:
    """FNV-1a of 64 bits (Fowler, Noll & Vo)."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def numbers(name: str, shape: list[int]) -> np.ndarray:
    """Uniform with the variance `1 / fan in`; vectors within 0.5 of zero, gains of one.

    The bits are those of splitmix64 (Steele, Lea & Flood 2014) from the seed `fnv(name)`.
    """
    i = np.arange(1, math.prod(shape) + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = np.uint64(fnv(name)) + i * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = 2.0 * ((z >> np.uint64(11)).astype(np.float64) * 2.0**-53) - 1.0
    if len(shape) == 1:
        value = 0.5 * u + (1.0 if name.endswith(".weight") else 0.0)
    else:
        value = u * math.sqrt(3.0 / math.prod(shape[1:]))
    return value.astype(np.float32).reshape(shape)


def filled(network):
    """The same network with the numbers of the formula, and the shapes of its arrays."""
    shapes = {name: list(array.shape) for name, array in network.state_dict().items()}
    state = {name: torch.from_numpy(numbers(name, shape)) for name, shape in shapes.items()}
    network.load_state_dict(state)
    return network.eval(), shapes


def write(folder, name, config, shapes, tensors):
    text = json.dumps({"config": config, "arrays": shapes}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n")
    save_file(tensors, folder / f"{name}_io.safetensors")
    print(name, tensors["output"].std().item())


def torchcfm(folder, name, config):
    network, shapes = filled(UNetModelWrapper(**config))
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(3, *config["dim"], generator=draw)
    t = torch.tensor([0.0, 0.37, 0.999])
    told = {"y": torch.tensor([0, 3, 9])} if config.get("class_cond") else {}
    with torch.no_grad():
        output = network(t, x, **told)
    write(folder, name, config, shapes, {"x": x, "t": t, "output": output.contiguous(), **told})


def diffusers(folder, name, options):
    network, shapes = filled(UNet2DModel(**options))
    config = {key: value for key, value in network.config.items() if key != "_use_default_values"}
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(3, options["in_channels"], *[options["sample_size"]] * 2, generator=draw)
    t = torch.tensor([0, 370, 999])
    with torch.no_grad():
        output = network(x, t).sample
    tensors = {"x": x, "t": t.float(), "output": output.contiguous()}
    write(folder, name, config, shapes, tensors)


def main():
    folder = pathlib.Path(sys.argv[1])
    # The multipliers of 28 pixels, three sizes of images, attention at the largest.
    small = {"dim": [1, 28, 28], "num_channels": 32, "num_res_blocks": 1}
    torchcfm(folder, "formula_unet28", small)
    # Twice the channels: with one in each of the 32 groups of a norm, what a time and a class add
    # to a channel would be taken away again.
    classes = {"num_channels": 64, "channel_mult": [1, 1], "num_classes": 10, "class_cond": True}
    torchcfm(folder, "formula_unet28_class", small | classes)
    # Two blocks in a stage, channels that grow, and an attention without scales and shifts.
    diffusers(
        folder,
        "formula_unet2d",
        {
            "sample_size": 16,
            "in_channels": 3,
            "out_channels": 3,
            "layers_per_block": 2,
            "block_out_channels": [32, 48],
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
            "norm_num_groups": 16,
        },
    )


if __name__ == "__main__":
    main()

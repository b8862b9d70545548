"""Features of the FID Inception network by PyTorch on weights that both sides compute, in inception.json.

    python -m venv /tmp/reference && . /tmp/reference/bin/activate
    pip install numpy torch torchvision pytorch-fid
    python inception.py

With `--file weights.pth` (or .safetensors, with safetensors installed) the same weights are also written
to a file, for `flow eval --inception`.
"""

import argparse
import json
import pathlib
from importlib.metadata import version

import numpy as np
import torch
from pytorch_fid.inception import fid_inception_v3
import pytorch_fid.inception as fid

KEPT = 64  # features that are kept, spread over all 2,048


def numbers(seed, count):
    """`count` numbers in [0, 1): a multiplicative hash of the index, in 32 bits."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)
    for factor in (0x85EBCA6B, 0xC2B2AE35):
        x ^= x >> np.uint64(16)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return (x >> np.uint64(8)).astype(np.float64) / 2**24


def weights(state):
    """Arrays whose activations neither vanish nor explode: He's scale, normalisations near 1."""
    arrays = {}
    for seed, name in enumerate(sorted(name for name in state if "num_batches" not in name)):
        shape = tuple(state[name].shape)
        u = numbers(seed, int(np.prod(shape))).reshape(shape)
        if name.endswith("conv.weight"):
            u = (u - 0.5) * np.sqrt(24 / np.prod(shape[1:]))
        elif name.endswith("running_mean") or name.endswith("bn.bias"):
            u = (u - 0.5) * 0.2
        else:
            u = 0.75 + 0.5 * u
        arrays[name] = torch.tensor(u.astype(np.float32))
    return arrays


def network():
    # The published weights are not wanted here, only the architecture that loads them.
    fid.load_state_dict_from_url = lambda *args, **kwargs: fid._inception_v3(
        num_classes=1008, aux_logits=False, weights=None
    ).state_dict()
    return fid_inception_v3()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", type=pathlib.Path)
    args = parser.parse_args()
    net = network().eval()
    arrays = {k: v for k, v in weights(net.state_dict()).items() if not k.startswith(("fc.", "AuxLogits."))}
    missing = net.load_state_dict(arrays, strict=False)
    assert not missing.unexpected_keys, missing
    cells = {}
    blocks = [name for name, _ in net.named_children() if name.startswith("Mixed_7c")]
    net.get_submodule(blocks[0]).register_forward_hook(lambda _m, _i, y: cells.update(y=y))
    side = 107
    images = torch.tensor(numbers(999, 2 * 3 * side * side).reshape(2, 3, side, side) * 2 - 1)
    with torch.no_grad():
        net(images.float())
        single = cells["y"].mean((2, 3)).numpy()
        net.double()(images)
        double = cells["y"].mean((2, 3)).numpy()
    step = double.shape[1] // KEPT
    result = {
        "made_with": {p: version(p) for p in ("torch", "torchvision", "pytorch-fid")},
        "shapes": {name: list(arrays[name].shape) for name in sorted(arrays)},
        "side": side,
        "step": step,
        "features": double[:, ::step].tolist(),
        "mean": double.mean(1).tolist(),
        "rounding": float(np.abs(single - double).max() / np.abs(double).max()),
    }
    path = pathlib.Path(__file__).with_name("inception.json")
    path.write_text(json.dumps(result) + "\n")
    if args.file:
        if args.file.suffix == ".safetensors":
            from safetensors.torch import save_file

            save_file(arrays, args.file)
        else:
            torch.save(arrays, args.file)
    print({key: value for key, value in result.items() if key not in ("shapes", "features")})


main()

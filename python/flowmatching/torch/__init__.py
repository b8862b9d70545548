"""A model of flow as a `torch.nn.Module`, with nothing but torch and safetensors.

>>> from flowmatching.torch import load
>>> network, description = load("m.flow")
>>> v = network(x, t)                       # x [B, *shape], t [B] from noise (0) to data (1)

For whoever goes on training in PyTorch. It reads a file `NAME.flow`, a folder with `model.toml` and
`weights.safetensors`, and a folder of `flow export --format pytorch`. The networks are the files
beside this one, of which such a folder has the one that it needs; what they are told besides `x`
and `t` stands in `parts.py`. The output is what the description calls `prediction`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor, nn

from . import adm_unet, dit, mlp, split_mlp, torchcfm_mlp, unet

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

__all__ = ["load"]

KINDS = {
    "adm-unet": adm_unet.Network,
    "dit": dit.Network,
    "mlp": mlp.Network,
    "split-mlp": split_mlp.Network,
    "torchcfm-mlp": torchcfm_mlp.Network,
    "unet": unet.Network,
}


def load(path) -> tuple[nn.Module, dict[str, Any]]:
    """The network with its weights, and the description of the model."""
    path = Path(path)
    if (path / "config.json").is_file():
        description = json.loads((path / "config.json").read_text())
        return kind(description).load(path), description
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
    network = kind(description)(description["network"], description["signature"])
    network.load_state_dict({renamed(name): laid_out(name, x) for name, x in arrays.items()})
    return network, description


def kind(description: dict[str, Any]) -> type:
    """The class of a description's network."""
    name = description["network"]["kind"]
    if name not in KINDS:
        raise ValueError(f"there is no network {name} here, there are {', '.join(KINDS)}")
    return KINDS[name]


def renamed(name: str) -> str:
    """PyTorch's norms have a `weight` and a `bias`, and `class` is a word of Python."""
    names = {"gamma": "weight", "beta": "bias", "class": "classes"}
    return ".".join(names.get(part, part) for part in name.split("."))


def laid_out(name: str, array: Tensor) -> Tensor:
    """Matrices, which are those of linear layers but for tables, are `[in, out]` in the file."""
    is_table = ".table." in f".{name}"
    return array.T.contiguous() if array.ndim == 2 and not is_table else array

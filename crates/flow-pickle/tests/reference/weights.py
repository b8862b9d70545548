"""Small files by the libraries whose formats we read, beside this script.

    python -m venv /tmp/reference && . /tmp/reference/bin/activate
    pip install numpy torch safetensors
    python weights.py
"""

import argparse
import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent

bias = torch.tensor([0.5, -0.25])
state = OrderedDict()
state["layer.conv.weight"] = torch.nn.Parameter(torch.arange(12.0).reshape(2, 3, 2, 1))
state["layer.bias"] = bias
state["layer.steps"] = torch.tensor(7)  # int64: not an array of weights
state["tied"] = bias[1:]  # a view into the same storage
state._metadata = {"": {"version": 1}}
torch.save(state, here / "weights.pth")
torch.save(state, here / "weights-legacy.pth", _use_new_zipfile_serialization=False)
save_file({k: v.detach().clone() for k, v in state.items()}, here / "weights.safetensors")

# A checkpoint of a training script: weights and their average within a dictionary, beside other things.
inner = {"module." + k: v.detach() for k, v in state.items()}
average = {k: v + 1 for k, v in inner.items() if v.is_floating_point()}
half = {"h": torch.tensor([0.5, -2.0], dtype=torch.float16), "b": torch.tensor([3.0], dtype=torch.bfloat16),
        "d": torch.tensor([0.1], dtype=torch.float64)}
nested = {"model": inner, "ema": average, "step": 7, "args": argparse.Namespace(lr=1e-4), "half": half,
          "optimizer": {"state": {0: {"exp_avg": bias}}, "groups": [{"lr": 0.1, "betas": (0.9, 0.99)}]}}
torch.save(nested, here / "nested.pt")

# Views whose numbers do not lie one after another, and one dictionary under two names.
matrix = torch.arange(6.0).reshape(2, 3)
views = {"transposed": matrix.t(), "every_second": matrix[:, ::2], "expanded": torch.tensor([7.0, 8.0]).expand(3, 2)}
once = {"layer.bias": bias}
torch.save({"net": views, "ema": once, "net_ema": once}, here / "views.pt")

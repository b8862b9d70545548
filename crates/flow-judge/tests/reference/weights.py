"""Small files by the libraries whose formats we read, beside this script.

    python -m venv /tmp/reference && . /tmp/reference/bin/activate
    pip install numpy torch safetensors pillow
    python weights.py
"""

import json
import pathlib
from collections import OrderedDict

import numpy as np
import torch
from PIL import Image
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

np.savez_compressed(here / "statistics.npz", mu=np.array([1.0, 2.0]), sigma=np.array([[2.0, 0.5], [0.5, 1.0]]))

rng = np.random.default_rng(1)
cases = []
for source, target in [((5, 4), (9, 13)), ((12, 17), (5, 6)), ((8, 8), (29, 3))]:
    image = rng.integers(0, 256, source).astype(np.float32)
    # As clean-fid: one channel of floats, PIL's bicubic filter; PIL counts the width first.
    resized = Image.fromarray(image, mode="F").resize(target[::-1], resample=Image.BICUBIC)
    cases.append(
        {
            "from": source,
            "to": target,
            "image": image.ravel().tolist(),
            "resized": [round(float(x), 5) for x in np.asarray(resized).ravel()],
        }
    )
(here / "resize.json").write_text(json.dumps(cases) + "\n")

"""Cases that another program is compared by: what goes in and what comes out, as JSON.

`cases.json` in a folder is a list of `file`, `inputs` and `output`, each an array as its shape and
its numbers under the name of their kind. `cargo test -p flow-onnx` writes them.
"""

import json
import sys
from pathlib import Path

import numpy as np


def array(case: dict) -> np.ndarray:
    (kind,) = set(case) - {"shape"}
    return np.array(case[kind], dtype=kind).reshape(case["shape"])


def compare(folder: Path, tolerance: float, load) -> int:
    """Prints how far `load(path)(**inputs)` is off for each file, relative to numbers above 1.

    Returns the code to exit with.
    """
    loaded, worst = {}, {}
    for case in json.loads((folder / "cases.json").read_text()):
        name = case["file"]
        if name not in loaded:
            loaded[name] = load(folder / name)
        inputs = {key: array(value) for key, value in case["inputs"].items()}
        got, expected = loaded[name](**inputs), array(case["output"])
        assert got.shape == expected.shape, f"{name}: {got.shape} for {expected.shape}"
        off = float(np.abs(got - expected).max()) / max(1.0, float(np.abs(expected).max()))
        worst[name] = max(worst.get(name, 0.0), off)
    for name, off in worst.items():
        print(f"{off:.1e}  {name}")
    bad = [name for name, off in worst.items() if not off < tolerance]
    if bad:
        print(f"off by more than {tolerance}: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0

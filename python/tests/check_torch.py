"""Opens `.flow` files as modules of PyTorch and runs them: check_torch.py FOLDER. See cases.py."""

import importlib.util
import sys
from pathlib import Path

import torch

from cases import compare

# The loader is one file that needs nothing of the package, whose library may not be built.
LOADER = Path(__file__).parents[1] / "flowmatching" / "torch.py"
spec = importlib.util.spec_from_file_location("flow_torch", LOADER)
loader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loader)

# What the loader calls some of the inputs.
NAMES = {"class": "label", "vector": "given"}


def load(path: Path):
    network, _ = loader.load(path)

    def run(**inputs):
        given = {NAMES.get(name, name): torch.from_numpy(x) for name, x in inputs.items()}
        with torch.no_grad():
            return network(**given).numpy()

    return run


if __name__ == "__main__":
    sys.exit(compare(Path(sys.argv[1]), 1e-5, load))

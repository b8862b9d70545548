"""Opens models as modules of PyTorch and runs them: check_torch.py FOLDER. See cases.py.

`NAME.flow` is opened by the loader of the package, and a folder NAME of `flow export --format
pytorch` by the file that lies in it.
"""

import importlib.util
import sys
from pathlib import Path

import torch

from cases import compare

# What the networks call some of the inputs.
NAMES = {"class": "label", "vector": "given"}


def module(name: str, path: Path, **more):
    spec = importlib.util.spec_from_file_location(name, path, **more)
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


# The loader needs nothing of the package around it, whose library may not be built.
PACKAGE = Path(__file__).parents[1] / "flowmatching" / "torch"
LOADER = module("flow_torch", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)])


def load(path: Path):
    if path.is_dir():
        network = module(f"network_{path.name}", path / "network.py").Network.load(path)
    else:
        network, _ = LOADER.load(path)

    def run(**inputs):
        given = {NAMES.get(name, name): torch.from_numpy(x) for name, x in inputs.items()}
        with torch.no_grad():
            return network(**given).numpy()

    return run


if __name__ == "__main__":
    sys.exit(compare(Path(sys.argv[1]), 1e-5, load))

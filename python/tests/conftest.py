"""Where the small models are that tests compare with.

FLOW names the binary and FLOW_RUNS the folder that `python/tests/make.sh` made; without them the
tests that need them are skipped.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import flowmatching as fm

FLOW = os.environ.get("FLOW")
RUNS = Path(os.environ.get("FLOW_RUNS", "none"))


class Place:
    """The models, and the command that their runs came from."""

    def model(self, name: str) -> fm.Model:
        return fm.open(RUNS / f"{name}.flow")

    def path(self, name: str) -> Path:
        return RUNS / name

    def flow(self, *words) -> None:
        done = subprocess.run([FLOW, *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def samples(self, name: str, out: Path, *words):
        """What the command draws, as an array or the path of a table."""
        self.flow("sample", RUNS / f"{name}.flow", *words, "--out", out)
        return np.load(out) if out.suffix == ".npy" else out


@pytest.fixture
def place() -> Place:
    if FLOW is None or not RUNS.is_dir():
        pytest.skip("set FLOW and FLOW_RUNS, see make.sh")
    return Place()

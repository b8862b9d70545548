"""A model in Python is the model of the command.

FLOW names the binary and FLOW_RUNS a folder with the runs `points` and `digits`; without them the
tests that need them are skipped. `python/tests/make.sh` makes both.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import flowmatching as fm

FLOW = os.environ.get("FLOW")
RUNS = Path(os.environ.get("FLOW_RUNS", "none"))
needs_runs = pytest.mark.skipif(
    FLOW is None or not RUNS.is_dir(), reason="set FLOW and FLOW_RUNS, see make.sh"
)


@pytest.fixture(params=["points", "digits"])
def run(request, tmp_path):
    run = RUNS / request.param
    out = tmp_path / "m.flow"
    subprocess.run([FLOW, "export", run, "--out", out], check=True, capture_output=True)
    return run, out, tmp_path


@needs_runs
def test_samples_are_those_of_the_command(run):
    folder, path, scratch = run
    model = fm.open(path)
    out = scratch / "x.npy"
    words = ["sample", folder, "-n", "8", "--seed", "3", "--solver", "heun2", "--steps", "4"]
    words += ["--guidance", "1"] if model.classes else []
    subprocess.run([FLOW, *words, "--out", out], check=True, capture_output=True)
    guidance = 1.0 if model.classes else None
    x = model.sample(8, seed=3, solver="heun2", steps=4, guidance=guidance)
    assert x.dtype == np.float32 and x.shape == (8, *model.shape)
    np.testing.assert_array_equal(x, np.load(out))
    # Fewer samples are the first of more.
    few = model.sample(3, seed=3, solver="heun2", steps=4, guidance=guidance)
    np.testing.assert_allclose(few, x[:3], atol=1e-5)


@needs_runs
def test_the_velocity_of_a_small_step_is_its_difference(run):
    _, path, _ = run
    model = fm.open(path)
    classes = 0 if model.classes else None
    starts = np.random.default_rng(0).normal(size=(4, *model.shape)).astype(np.float32)
    once = model.sample(4, starts=starts, classes=classes, solver="euler", steps=1, guidance=1.0 if model.classes else None)
    velocity = model.velocity(starts, 0.0, classes=classes)
    np.testing.assert_allclose(once, starts + velocity, atol=1e-4)


@needs_runs
def test_a_density_of_points_sums_to_one():
    model_path = RUNS / "points" / "model"
    model = fm.open(model_path)
    side = np.linspace(-6, 6, 60, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    density = np.exp(model.log_prob(grid, rtol=1e-4, atol=1e-4))
    mass = density.sum() * (side[1] - side[0]) ** 2
    assert 0.9 < mass < 1.1


@needs_runs
def test_what_cannot_be_met_raises(run):
    _, path, scratch = run
    model = fm.open(path)
    with pytest.raises(ValueError, match="shape"):
        model.log_prob(np.zeros((2, 7), dtype=np.float32))
    with pytest.raises(ValueError, match="class"):
        model.sample(2, classes=99)
    with pytest.raises(ValueError, match="steps"):
        model.sample(2, steps=0)
    copy = scratch / "copy"
    model.save(copy)
    assert fm.open(copy).description == model.description


def test_what_is_no_model_raises(tmp_path):
    with pytest.raises(OSError, match="no-such"):
        fm.open(tmp_path / "no-such.flow")
    (tmp_path / "bad.flow").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no model"):
        fm.open(tmp_path / "bad.flow")

"""A model in Python is the model of the command."""

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import flowmatching as fm

MODELS = ["points", "digits", "dit"]


@pytest.mark.parametrize("name", MODELS)
def test_samples_are_those_of_the_command(place, name, tmp_path):
    model = place.model(name)
    words = ["-n", 8, "--seed", 3, "--solver", "heun2", "--steps", 4]
    expected = place.samples(name, tmp_path / "x.npy", *words)
    x = model.sample(8, seed=3, solver="heun2", steps=4)
    assert x.dtype == np.float32 and x.shape == (8, *model.shape)
    np.testing.assert_array_equal(x, expected)
    # Fewer samples are the first of more, and another seed draws others.
    few = model.sample(3, seed=3, solver="heun2", steps=4)
    np.testing.assert_allclose(few, x[:3], atol=1e-5)
    assert np.abs(model.sample(8, seed=4, solver="heun2", steps=4) - x).max() > 0.1


def test_columns_beside_points_are_given_by_name(place, tmp_path):
    model = place.model("told")
    assert model.columns is None and model.given == ["angle", "lab"]
    words = ["-n", 6, "--seed", 3, "--given", "angle=30,lab=B"]
    expected = place.samples("told", tmp_path / "x.npy", *words)
    # The scale of the data is the command's; here numbers are those of the network.
    x = model.sample(6, seed=3, given={"angle": 30, "lab": "B"})
    assert x.shape == (6, 2) and np.corrcoef(x[:, 0], expected[:, 0])[0, 1] > 0.99999
    each = model.sample(6, seed=3, given={"angle": [30, 60], "lab": "B"})
    np.testing.assert_allclose(each[::2], x[::2], atol=1e-5)
    assert np.abs(each[1::2] - x[1::2]).max() > 1e-4
    with pytest.raises(ValueError, match="not height"):
        model.sample(2, given={"angle": 30, "lab": "B", "height": 2})
    with pytest.raises(ValueError, match="told angle, lab"):
        model.sample(2)


@pytest.mark.parametrize("name", MODELS)
def test_a_euler_step_is_the_velocity_at_the_start(place, name):
    model = place.model(name)
    told = {"classes": 0} if model.classes else {}
    guidance = {"guidance": 1.0} if model.classes else {}
    starts = model.starts(4, seed=2)
    once = model.sample(4, seed=2, solver="euler", steps=1, **told, **guidance)
    np.testing.assert_allclose(once, starts + model.velocity(starts, 0.0, **told), atol=1e-5)
    given = model.sample(4, starts=starts, solver="euler", steps=1, **told, **guidance)
    np.testing.assert_array_equal(given, once)


def test_a_network_of_another_program_is_opened(place):
    model = place.model("moons")
    x = model.sample(500, seed=1, solver="rk4", steps=10)
    # Two moons within 3 and 1.5 of zero, 0.1 thick.
    assert x.shape == (500, 2) and np.isfinite(x).all()
    assert np.abs(x[:, 0]).max() < 4.5 and np.abs(x[:, 1]).max() < 3


def test_a_density_of_points_sums_to_one(place):
    side = np.linspace(-6, 6, 60, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    density = np.exp(place.model("points").log_prob(grid, rtol=1e-4, atol=1e-4))
    mass = density.sum() * (side[1] - side[0]) ** 2
    assert 0.9 < mass < 1.1


def test_a_density_without_the_volume_is_another(place):
    """The control of the sum above: at a model's own samples it is not that of the noise."""
    model = place.model("points")
    x = model.sample(50, seed=1)
    noise = -np.log(2 * np.pi) - (x**2).sum(1) / 2
    assert np.abs(model.log_prob(x) - noise).max() > 0.5


def test_what_cannot_be_met_raises(place, tmp_path):
    model = place.model("digits")
    x = np.zeros((2, *model.shape), dtype=np.float32)
    for match, call in [
        ("shape", lambda: model.log_prob(np.zeros((2, 7), dtype=np.float32))),
        ("class 99", lambda: model.sample(2, classes=99)),
        ("class 99", lambda: model.velocity(x, 0.5, classes=99)),
        ("below 0", lambda: model.velocity(x, 0.5, classes=-1)),
        ("classes", lambda: model.log_prob(x)),
        ("steps", lambda: model.sample(2, steps=0)),
        ("no condition vectors", lambda: model.velocity(x, 0.5, given=np.ones((2, 3)))),
        ("solver", lambda: model.sample(2, solver="nonsense")),
    ]:
        with pytest.raises(ValueError, match=match):
            call()
    copy = tmp_path / "copy"
    model.save(copy)
    assert fm.open(copy).description == model.description


def test_what_is_no_model_raises(tmp_path):
    with pytest.raises(OSError, match="no-such"):
        fm.open(tmp_path / "no-such.flow")
    (tmp_path / "bad.flow").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no model"):
        fm.open(tmp_path / "bad.flow")


def test_other_threads_of_python_run_meanwhile(place):
    model = place.model("digits")
    worker = threading.Thread(target=lambda: model.sample(200, steps=20, batch=200))
    worker.start()
    turns = 0
    while worker.is_alive():
        turns += 1
        time.sleep(0.001)
    # With the lock held there would be none or one.
    assert turns > 5


ENDLESS = """
import sys
import numpy as np
import flowmatching as fm
model = fm.open(sys.argv[1])
print("begun", flush=True)
{}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize(
    "call",
    [
        "model.sample(10_000_000, steps=10, batch=10)",
        "model.log_prob(np.zeros((100_000, 1, 8, 8)), classes=0, probes=1)",
    ],
)
def test_ctrl_c_is_heard(place, call):
    words = [sys.executable, "-c", ENDLESS.format(call), place.path("digits.flow")]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode != 0 and "KeyboardInterrupt" in errors

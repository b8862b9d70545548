"""A model in PyTorch is the model of the package. `cargo test -p flow-onnx` has every network."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


@pytest.mark.parametrize("name", ["points", "digits", "dit", "people", "given"])
def test_the_network_gives_the_same_velocity(place, name, tmp_path):
    from flowmatching.torch import load

    network, description = load(place.path(f"{name}.flow"))
    assert description["prediction"] == {"kind": "velocity"}
    model = place.model(name)
    x = model.starts(5, seed=1)
    label = np.arange(5) % model.classes if model.classes else None
    told = {"classes": label} if model.classes else {}
    inputs = {"label": torch.from_numpy(label)} if model.classes else {}
    if model.given:
        told = {"given": {"clinic": "B", "age": 40}}
        vectors = model._inner.conditions([("clinic", ["B"] * 5), ("age", ["40"] * 5)])
        inputs = {"given": torch.from_numpy(vectors.reshape(5, -1))}
    place.flow("export", place.path(f"{name}.flow"), "--format", "pytorch", "--out", tmp_path / "m")
    folder, same = load(tmp_path / "m")
    assert same["signature"] == description["signature"]
    with torch.no_grad():
        for name, weight in network.state_dict().items():
            assert torch.equal(weight, folder.state_dict()[name])
        v = network(torch.from_numpy(x), torch.full((5,), 0.3), **inputs).numpy()
    np.testing.assert_allclose(v, model.velocity(x, 0.3, **told), atol=1e-5)

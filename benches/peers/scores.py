"""The same samples scored by flow-eval and by POT, scipy, scikit-learn, torchmetrics, clean-fid and prdc.

    python -m venv /tmp/peers && . /tmp/peers/bin/activate
    pip install numpy scipy scikit-learn POT prdc torch torchvision torchmetrics torch-fidelity pytorch-fid clean-fid
    python benches/peers/scores.py                     # prints a table
    python benches/peers/scores.py --fid FLOW RUN FILE # and FID, of a run of `digits` by the binary FLOW

FILE are weights of the FID network, of any origin: `crates/flow-nn/tests/reference/inception.py --file FILE`
writes random ones. Each row has its own tolerance: rounding where both sides define the same number, the
standard error where directions are drawn.
"""

import argparse
import contextlib
import json
import pathlib
import subprocess
import tempfile
from importlib.metadata import version

import numpy as np
import ot
import torch
from cleanfid.fid import frechet_distance as cleanfid_frechet, kernel_distance as cleanfid_kid
from prdc import compute_prdc
from scipy import linalg, stats
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from torchmetrics.image.fid import _compute_fid
from torchmetrics.image.kid import poly_mmd

ROOT = pathlib.Path(__file__).parents[2]


def ours(a, b):
    """Scores of flow-eval."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}" for name in "ab"]
        for path, points in zip(paths, (a, b)):
            points.astype("<f4").tofile(path)
        command = ["cargo", "run", "--quiet", "--release", "-p", "flow-eval", "--example", "score_files", "--"]
        out = subprocess.run(command + paths + [str(a.shape[1])], cwd=ROOT, check=True, capture_output=True)
    return json.loads(out.stdout)


def unbiased_mmd(kernel, a, b):
    def within(x):
        k = kernel(x, x)
        return (k.sum() - np.trace(k)) / (len(x) * (len(x) - 1))

    return within(a) + within(b) - 2 * kernel(a, b).mean()


def energy(a, b):
    """scipy's distance is that of the biased statistic, and its root."""
    between = cdist(a, b).mean()
    (wa, n), (wb, m) = ((cdist(x, x).mean(), len(x)) for x in (a, b))
    if a.shape[1] == 1:
        biased = stats.energy_distance(a[:, 0], b[:, 0]) ** 2
        return biased - wa / (n - 1) - wb / (m - 1)
    return 2 * between - wa * n / (n - 1) - wb * m / (m - 1)


def moments(x):
    return x.mean(0), np.cov(x, rowvar=False)


def scipy_frechet(a, b):
    (m1, s1), (m2, s2) = moments(a), moments(b)
    return np.sum((m1 - m2) ** 2) + np.trace(s1 + s2 - 2 * linalg.sqrtm(s1 @ s2)).real


def tensors(*arrays):
    return [torch.tensor(x) for x in arrays]


def torchmetrics_frechet(a, b):
    (m1, s1), (m2, s2) = moments(a), moments(b)
    return float(_compute_fid(*tensors(m1, s1, m2, s2)))


def prdc(name, k):
    def score(a, b):
        with contextlib.redirect_stdout(None):
            return compute_prdc(a, b, k)[name]

    return score


ROUND = 1e-6  # relative: f32 points, f64 sums
# name of ours, library, its value, relative tolerance (None: four standard errors), which sets
CHECKS = [
    ("sliced", "POT", lambda a, b: ot.sliced_wasserstein_distance(a, b, n_projections=20000, seed=1), None, "pf"),
    ("max-sliced", "POT", lambda a, b: ot.max_sliced_wasserstein_distance(a, b, n_projections=20000, seed=1), 2e-3, "p"),
    ("assignment", "POT", lambda a, b: np.sqrt(ot.emd2([], [], ot.dist(a, b), numItermax=10**7)), ROUND, "p"),
    ("w1", "scipy", lambda a, b: stats.wasserstein_distance(a[:, 0], b[:, 0]), ROUND, "1"),
    ("w1", "POT", lambda a, b: ot.wasserstein_1d(a[:, 0], b[:, 0], p=1), ROUND, "1"),
    ("energy", "scipy", energy, ROUND, "1pf"),
    ("mmd, gaussian", "scikit-learn", lambda a, b: unbiased_mmd(lambda x, y: rbf_kernel(x, y, 0.5), a, b), ROUND, "p"),
    ("mmd, cubic", "scikit-learn", lambda a, b: unbiased_mmd(lambda x, y: polynomial_kernel(x, y, 3), a, b), ROUND, "f"),
    ("mmd, cubic", "torchmetrics", lambda a, b: float(poly_mmd(*tensors(a, b))), ROUND, "f"),
    ("kid", "clean-fid", lambda a, b: cleanfid_kid(a, b, num_subsets=200, max_subset_size=200), None, "f"),
    ("frechet", "scipy", scipy_frechet, ROUND, "pf"),
    ("frechet", "torchmetrics", torchmetrics_frechet, ROUND, "pf"),
    ("frechet", "clean-fid", lambda a, b: cleanfid_frechet(*moments(a), *moments(b)), ROUND, "pf"),
    ("precision", "prdc", prdc("precision", 3), ROUND, "f"),
    ("recall", "prdc", prdc("recall", 3), ROUND, "f"),
    ("density", "prdc", prdc("density", 5), ROUND, "f"),
    ("coverage", "prdc", prdc("coverage", 5), ROUND, "f"),
]


def sets():
    """By letter: points on a line, in the plane, and 64 features that are not independent."""
    rng = np.random.default_rng(2026)
    f32 = lambda x: x.astype(np.float32).astype(np.float64)
    mixing = rng.normal(size=(64, 64)) / 8
    return {
        "1": (f32(rng.normal(size=(1000, 1))), f32(rng.gamma(2, size=(1000, 1)))),
        "p": (f32(rng.normal(size=(1000, 2))), f32(rng.normal(0.4, 1.3, (1000, 2)))),
        "f": (f32(rng.normal(size=(2000, 64)) @ mixing), f32(rng.normal(0.1, 1.1, (2000, 64)) @ mixing)),
    }


def fid(flow, run, file, n=24):
    """FID of the same samples by pytorch-fid's network and clean-fid's resize."""
    import pytorch_fid.inception as network
    from cleanfid.resize import make_resizer
    from pytorch_fid.fid_score import calculate_frechet_distance
    from sklearn.datasets import load_digits

    with tempfile.TemporaryDirectory() as folder:
        reference, samples = f"{folder}/reference.npz", f"{folder}/samples.npy"
        words = ["eval", run, "-n", str(n), "--metrics", "fid", "--inception", file, "--reference", reference, "--json"]
        out = subprocess.run([flow, *words], check=True, capture_output=True)
        rows = json.loads(out.stdout)["rows"]
        row = next(row for row in rows if row["solver"].startswith("midpoint x"))
        steps = row["solver"].split(" x ")[1]
        words = ["sample", run, "-n", str(n), "--solver", "midpoint", "--steps", steps, "--out", samples]
        subprocess.run([flow, *words], check=True, capture_output=True)
        generated = np.load(samples)
        kept = np.load(reference)
        kept = kept["mu"], kept["sigma"]
    digits = load_digits()
    # Every sixth image of each class is a test image.
    place = [np.sum(digits.target[: i + 1] == label) for i, label in enumerate(digits.target)]
    real = (digits.data / 8 - 1)[np.array(place) % 6 != 0][:n].reshape(n, 1, 8, 8)

    # The published weights are not fetched: FILE takes their place.
    network.load_state_dict_from_url = lambda *args, **kwargs: network._inception_v3(
        num_classes=1008, aux_logits=False, weights=None
    ).state_dict() | torch.load(file)
    net = network.InceptionV3([3], resize_input=False, normalize_input=False).eval()
    resize = make_resizer("PIL", False, "bicubic", (299, 299))

    def features(images):
        pixels = np.clip(np.round(images * 127.5 + 127.5), 0, 255).astype(np.float32)
        big = [resize(np.repeat(image, 3, 0).transpose(1, 2, 0)) for image in pixels]
        x = torch.tensor(np.stack(big)).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad():
            return torch.cat([net(part)[0][:, :, 0, 0] for part in x.split(8)]).double().numpy()

    mu, sigma = moments(features(real))
    scale = np.abs(sigma).max()
    yield "mu of the .npz", "pytorch-fid", float(np.abs(kept[0] - mu).max()), 0.0, 1e-4
    yield "sigma of the .npz, relative", "pytorch-fid", float(np.abs(kept[1] - sigma).max() / scale), 0.0, 1e-3
    want = calculate_frechet_distance(*moments(features(generated)), mu, sigma)
    yield "FID", "pytorch-fid", row["scores"][0]["value"], float(want), 2e-3 * abs(want)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fid", nargs=3, metavar=("FLOW", "RUN", "FILE"))
    args = parser.parse_args()
    names = ["numpy", "scipy", "scikit-learn", "POT", "prdc", "torch", "torchmetrics", "clean-fid", "pytorch-fid"]
    print("Versions: " + ", ".join(f"{name} {version(name)}" for name in names) + ".\n")
    print("| score | points | library | ours | theirs | difference | allowed |\n|---|---|---|---|---|---|---|")
    worst = 0.0

    def show(name, points, library, value, want, allowed):
        nonlocal worst
        difference = abs(value - want)
        worst = max(worst, difference / allowed)
        print(f"| {name} | {points} | {library} | {value:.8g} | {want:.8g} | {difference:.1e} | {allowed:.1e} |")

    for letter, (a, b) in sets().items():
        scores = ours(a, b)
        for name, library, theirs, tolerance, letters in CHECKS:
            if letter in letters:
                value, error = scores[name]["value"], scores[name]["error"]
                want = float(theirs(a, b))
                # Both draw: the spread of a difference is sqrt(2) that of each.
                allowed = 4 * 2**0.5 * error if tolerance is None else tolerance * max(abs(want), 1e-3)
                show(name, f"{len(a)} x {a.shape[1]}", library, value, want, allowed)
    if args.fid:
        for name, library, value, want, allowed in fid(*args.fid):
            show(name, "digits", library, value, want, allowed)
    assert worst <= 1, f"a difference is {worst:.2g} times what is allowed"


main()

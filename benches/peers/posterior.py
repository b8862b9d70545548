"""Posteriors by `flow` on the tasks of the benchmark for simulation-based inference, by C2ST.

Lueckmann, Boelts, Greenberg, Goncalves & Macke (2021), "Benchmarking Simulation-Based Inference",
arXiv:2101.04653: a classifier two-sample test between draws of the posterior and reference draws, for
ten observations of each task; 0.5 is perfect. Simulators are written here from the paper's words.

    python3 benches/peers/posterior.py --flow target/release/flow --reference DIR --out posterior.json

`DIR` holds `TASK.npz` with `observation` [10, D] and `reference` [10, n, d] of each task (from the
package sbibm). Needs scikit-learn and pandas.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPClassifier

# Published means over ten observations: NPE at 1e3, 1e4 simulations (Lueckmann et al.).
PUBLISHED = {
    "two_moons": {"1e3": 0.725, "1e4": 0.606},
    "gaussian_linear": {"1e3": 0.694, "1e4": 0.552},
    "gaussian_linear_uniform": {"1e3": 0.696, "1e4": 0.553},
    "gaussian_mixture": {"1e3": 0.716, "1e4": 0.615},
    "slcp": {"1e3": 0.975, "1e4": 0.901},
    "bernoulli_glm": {"1e3": 0.863, "1e4": 0.678},
}


def two_moons(rng, n, _):
    theta = rng.uniform(-1, 1, (n, 2))
    a, r = rng.uniform(-np.pi / 2, np.pi / 2, n), rng.normal(0.1, 0.01, n)
    x = np.stack([r * np.cos(a) + 0.25, r * np.sin(a)], 1)
    x[:, 0] -= np.abs(theta.sum(1)) / np.sqrt(2)
    x[:, 1] += (theta[:, 1] - theta[:, 0]) / np.sqrt(2)
    return theta, x


def gaussian_linear(rng, n, _):
    theta = rng.normal(0, np.sqrt(0.1), (n, 10))
    return theta, theta + rng.normal(0, np.sqrt(0.1), (n, 10))


def gaussian_linear_uniform(rng, n, _):
    theta = rng.uniform(-1, 1, (n, 10))
    return theta, theta + rng.normal(0, np.sqrt(0.1), (n, 10))


def gaussian_mixture(rng, n, _):
    theta = rng.uniform(-10, 10, (n, 2))
    wide = rng.random((n, 1)) < 0.5
    return theta, theta + np.where(wide, 1.0, 0.1) * rng.normal(size=(n, 2))


def slcp(rng, n, _):
    theta = rng.uniform(-3, 3, (n, 5))
    s1, s2, rho = theta[:, 2] ** 2, theta[:, 3] ** 2, np.tanh(theta[:, 4])
    z = rng.normal(size=(n, 4, 2))
    first = theta[:, None, 0] + np.sqrt(s1**2 + 1e-6)[:, None] * z[..., 0]
    mixed = rho[:, None] * z[..., 0] + np.sqrt(1 - rho**2)[:, None] * z[..., 1]
    second = theta[:, None, 1] + s2[:, None] * mixed
    return theta, np.stack([first, second], 2).reshape(n, 8)


def bernoulli_glm(rng, n, known):
    theta = rng.multivariate_normal(np.zeros(10), known["prior_covariance"], n)
    design = known["design_matrix"]
    spikes = rng.random((n, 100)) < 1 / (1 + np.exp(-theta @ design.T))
    return theta, spikes @ design


# The bounds of uniform priors, which the benchmark's estimators know too.
BOUNDS = {
    "two_moons": (-1, 1),
    "gaussian_linear_uniform": (-1, 1),
    "gaussian_mixture": (-10, 10),
    "slcp": (-3, 3),
}

TASKS = [two_moons, gaussian_linear, gaussian_linear_uniform, gaussian_mixture, slcp, bernoulli_glm]


def c2st(reference, drawn):
    """Mean accuracy over five folds of a network that tells the two apart."""
    mean, std = reference.mean(0), reference.std(0, ddof=1)
    x = np.concatenate([(reference - mean) / std, (drawn - mean) / std])
    y = np.concatenate([np.zeros(len(reference)), np.ones(len(drawn))])
    units = 10 * reference.shape[1]
    network = MLPClassifier((units, units), max_iter=10000, solver="adam", random_state=1)
    folds = KFold(n_splits=5, shuffle=True, random_state=1)
    return float(cross_val_score(network, x, y, cv=folds, scoring="accuracy").mean())


def one(arguments, task, budget, seed):
    known = np.load(arguments.reference / f"{task.__name__}.npz")
    theta, x = task(np.random.default_rng(seed), budget, known)
    names = [f"t{i + 1}" for i in range(theta.shape[1])]
    given = [f"x{i + 1}" for i in range(x.shape[1])]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pairs = pd.DataFrame(np.concatenate([theta, x], 1), columns=names + given)
        pairs.to_csv(folder / "pairs.csv", index=False)
        types = [f'data.types={{{",".join(f"{c}=" + chr(34) + "real" + chr(34) for c in names + given)}}}']
        if task.__name__ in BOUNDS:
            low, high = BOUNDS[task.__name__]
            types.append("data.transforms={" + ",".join(f"{c}={{logit=[{low},{high}]}}" for c in names) + "}")
        words = [arguments.flow, "train", arguments.recipe, "--data", str(folder / "pairs.csv"), "--given"]
        words += [",".join(given), "--no-eval", "--threads", "1", "--seed", str(seed)]
        words += ["--out", str(folder / "run")]
        for change in types + arguments.set:
            words += ["--set", change]
        started = time.time()
        subprocess.run(words, check=True, capture_output=True)
        trained = time.time() - started
        observed = pd.DataFrame(known["observation"], columns=given)
        observed.to_csv(folder / "observed.csv", index=False)
        n = known["reference"].shape[1]
        out = folder / "drawn.csv"
        words = [arguments.flow, "posterior", str(folder / "run"), "--observe", str(folder / "observed.csv")]
        words += ["-n", str(n), "--no-density", "--threads", "1", "--out", str(out)]
        started = time.time()
        subprocess.run(words, check=True, capture_output=True)
        sampled = time.time() - started
        drawn = pd.read_csv(out)
        said = subprocess.run(
            [arguments.flow, "calibrate", str(folder / "run"), "--threads", "1"], check=True, capture_output=True
        ).stdout.decode()
    observations = range(arguments.observations)
    each = [
        c2st(known["reference"][i].astype(float), drawn[drawn["observation"] == i + 1][names].to_numpy())
        for i in observations
    ]
    sentence = [line for line in said.splitlines() if "calibrated" in line and "held-out" in line]
    return {
        "task": task.__name__,
        "budget": budget,
        "seed": seed,
        "c2st": float(np.mean(each)),
        "each": each,
        "rows": n,
        "trained": trained,
        "sampled": sampled,
        "calibration": sentence[-1] if sentence else "",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flow", default="flow")
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="posterior")
    parser.add_argument("--budgets", type=int, nargs="*", default=[1000, 10000])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--observations", type=int, default=10)
    parser.add_argument("--tasks", nargs="*", default=None)
    parser.add_argument("--set", action="append", default=[], help="a change of the recipe")
    arguments = parser.parse_args()
    rows = []
    for task in TASKS:
        if arguments.tasks is None or task.__name__ in arguments.tasks:
            for budget in arguments.budgets:
                for seed in arguments.seeds:
                    rows.append(one(arguments, task, budget, seed))
                    print(json.dumps(rows[-1]), flush=True)
                    arguments.out.write_text(json.dumps({"published": PUBLISHED, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

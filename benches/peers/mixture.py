"""Answers of a trained network beside exact posteriors: two normal laws in the plane that overlap.

The network is trained by `flow train points` on 20,000 rows, within seconds; the first of two numbers
is seen with noise of size 0.3 at nine values, and the posterior has a closed form. Of each method:

- mean: the error of the mean of the answers in standard deviations of the posterior, root mean square
  over both numbers and all questions. So many draws of the posterior itself have 1 / sqrt(draws);
- width: the total variance as a share of the right one, mean over the questions;
- misfit: how badly answers explain what was seen, in standard deviations of its noise.

    python3 benches/peers/mixture.py --flow target/release/flow --out mixture.json

Needs: pip install numpy
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SHARES = np.array([0.6, 0.4])
MEANS = np.array([[-0.6, -0.4], [0.8, 0.5]])
COVARIANCES = np.array([[[0.5, 0.35], [0.35, 0.6]], [[0.4, 0.25], [0.25, 0.5]]])
STD = 0.3
SEEN = np.linspace(-2, 2, 9)
METHODS = ["replacement", "dps", "pigdm", "mmps"]
NETWORK = ["network.hidden=64", "network.depth=2", "train.images=512e3", "train.checkpoint_every=512e3"]
NETWORK += ["train.learning_rate=3e-3", "train.warmup_images=5120"]


def rows(n, rng):
    parts = rng.choice(2, n, p=SHARES)
    roots = np.linalg.cholesky(COVARIANCES)
    return MEANS[parts] + np.einsum("nij,nj->ni", roots[parts], rng.normal(size=(n, 2)))


def posterior(y):
    """Mean and covariance of a row whose first number was seen."""
    logs, means, covariances = [], [], []
    for share, mean, covariance in zip(SHARES, MEANS, COVARIANCES):
        variance = covariance[0, 0] + STD**2
        gain = covariance[:, 0] / variance
        logs.append(np.log(share) - 0.5 * (np.log(variance) + (y - mean[0]) ** 2 / variance))
        means.append(mean + gain * (y - mean[0]))
        covariances.append(covariance - np.outer(gain, covariance[0]))
    shares = np.exp(np.array(logs) - max(logs))
    shares /= shares.sum()
    mean = shares @ np.array(means)
    spread = zip(shares, means, covariances)
    return mean, sum(s * (c + np.outer(m - mean, m - mean)) for s, m, c in spread)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flow", default="flow")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3, help="networks to train")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)

        def flow(*words):
            subprocess.run([args.flow, *map(str, words), "--threads", "1"], check=True, capture_output=True)

        np.save(at / "data.npy", rows(20_000, np.random.default_rng(0)).astype(np.float32))
        np.save(at / "first.npy", np.array([[1.0, 0.0]], np.float32))
        found = {method: {"mean": [], "width": [], "misfit": []} for method in METHODS}
        for seed in range(args.seeds):
            run = at / f"run-{seed}"
            sets = [word for key in NETWORK for word in ("--set", key)]
            flow("train", "points", "--data", at / "data.npy", "--no-eval", "--out", run, "--seed", seed, *sets)
            for i, y in enumerate(SEEN):
                np.save(at / "seen.npy", np.array([y], np.float32))
                mean, covariance = posterior(y)
                for method in METHODS:
                    out = at / f"{seed}-{i}-{method}"
                    words = ["--operator", f"matrix:{at / 'first.npy'}", "--observe", at / "seen.npy"]
                    words += ["--noise", STD, "--method", method, "--draws", args.draws]
                    words += ["--at-once", args.draws, "--steps", args.steps, "--seed", seed, "--out", out]
                    flow("solve", run, *words)
                    answers = np.load(out / "samples.npy").reshape(args.draws, 2)
                    note = json.loads((out / "answers.json").read_text())
                    apart = (answers.mean(0) - mean) / np.sqrt(np.diag(covariance))
                    found[method]["mean"].append(np.mean(apart**2))
                    found[method]["width"].append(answers.var(0, ddof=1).sum() / np.trace(covariance))
                    found[method]["misfit"].append(np.mean(np.square(note["misfit"])))
    table = []
    for method, each in found.items():
        mean, misfit = (float(np.sqrt(np.mean(each[name]))) for name in ("mean", "misfit"))
        table.append({"method": method, "mean": mean, "width": float(np.mean(each["width"])), "misfit": misfit})
        print(json.dumps(table[-1]))
    floor = args.draws**-0.5
    args.out.write_text(json.dumps({"draws": args.draws, "floor": floor, "rows": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()

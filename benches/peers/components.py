"""Answers of a trained network beside exact posteriors: four normal laws in eight dimensions.

The law, the five linear problems and their five observations each are those of
crates/flow-sample/tests/reference/inverse.json, whose posteriors have a closed form; the network is
trained by `flow train points` on 50,000 rows of the law. Of each method, means over the 25 questions:

- mean: the error of the mean in standard deviations of the posterior, root mean square over the numbers;
- covariance: the Frobenius norm of its error as a share of the covariance's own;
- width: the total variance as a share of the right one;
- shares: half the sum of the errors of the four components' shares;
- misfit: how badly answers explain what was seen, in standard deviations of its noise;
- mean_se: the error of the mean in standard errors of so many exact draws.

    python3 benches/peers/components.py --flow target/release/flow --out components.json

Needs: pip install numpy
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).parents[2] / "crates/flow-sample/tests/reference/inverse.json"
LANGEVIN = ["--sampler", "langevin", "--steps", 32]
SETTLED = ["--sampler", "langevin,corrections=20", "--steps", 47]
METHODS = {"replacement": LANGEVIN, "dps": LANGEVIN, "pigdm": LANGEVIN, "mmps": LANGEVIN, "mmps, settled": SETTLED}
NETWORK = ["network.hidden=128", "network.depth=3", "train.images=4e6", "train.checkpoint_every=4e6"]
NETWORK += ["train.learning_rate=2e-3"]
SIZE = 8


class Law:
    """Normal laws with shares, as of the data and of the data given an observation."""

    def __init__(self, shares, means, covariances):
        self.shares, self.means, self.covariances = map(np.asarray, (shares, means, covariances))
        self.mean = self.shares @ self.means
        apart = self.means - self.mean
        self.covariance = np.einsum("k,kij->ij", self.shares, self.covariances)
        self.covariance += np.einsum("k,ki,kj->ij", self.shares, apart, apart)

    def given(self, a, y, std):
        logs, means, covariances = [], [], []
        for share, mean, s in zip(self.shares, self.means, self.covariances):
            g = a @ s @ a.T + std**2 * np.eye(len(y))
            gain, rest = np.linalg.solve(g, a @ s).T, y - a @ mean
            logs.append(np.log(share) - 0.5 * (np.linalg.slogdet(g)[1] + rest @ np.linalg.solve(g, rest)))
            means.append(mean + gain @ rest)
            covariances.append(s - gain @ a @ s)
        shares = np.exp(np.array(logs) - max(logs))
        return Law(shares / shares.sum(), means, covariances)

    def rows(self, n, rng):
        parts = rng.choice(len(self.shares), n, p=self.shares)
        roots = np.linalg.cholesky(self.covariances)
        return self.means[parts] + np.einsum("nij,nj->ni", roots[parts], rng.normal(size=(n, SIZE)))

    def shares_of(self, x):
        """How much of the rows belongs to each component."""
        logs = []
        for share, mean, s in zip(self.shares, self.means, self.covariances):
            rest = x - mean
            square = np.einsum("ni,ij,nj->n", rest, np.linalg.inv(s), rest)
            logs.append(np.log(share + 1e-300) - 0.5 * (np.linalg.slogdet(s)[1] + square))
        logs = np.array(logs)
        parts = np.exp(logs - logs.max(0))
        return (parts / parts.sum(0)).mean(1)


def errors(exact, x, misfit):
    """The six numbers of the heading, of one question."""
    apart, covariance = x.mean(0) - exact.mean, np.cov(x.T)
    mean = np.sqrt(np.mean(apart**2 / np.diag(exact.covariance)))
    return {
        "mean": mean,
        "covariance": np.linalg.norm(covariance - exact.covariance) / np.linalg.norm(exact.covariance),
        "width": np.trace(covariance) / np.trace(exact.covariance),
        "shares": 0.5 * np.abs(exact.shares_of(x) - exact.shares).sum(),
        "misfit": np.sqrt(np.mean(np.square(misfit))),
        "mean_se": mean * np.sqrt(len(x)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flow", default="flow")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3, help="networks to train")
    args = parser.parse_args()

    reference = json.loads(REFERENCE.read_text())
    law = Law(
        reference["weights"],
        np.reshape(reference["means"], (-1, SIZE)),
        np.reshape(reference["covariances"], (-1, SIZE, SIZE)),
    )
    found = {method: [] for method in ["exact draws", *METHODS]}
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)

        def flow(*words):
            done = subprocess.run([args.flow, *map(str, words), "--threads", "1"], capture_output=True, text=True)
            return done.stderr.strip().splitlines()[-1] if done.returncode else None

        np.save(at / "data.npy", law.rows(50_000, np.random.default_rng(0)).astype(np.float32))
        for seed in range(args.seeds):
            run = at / f"run-{seed}"
            sets = [word for key in NETWORK for word in ("--set", key)]
            began = time.time()
            if said := flow("train", "points", "--data", at / "data.npy", "--no-eval", "--out", run, "--seed", seed, *sets):
                raise SystemExit(said)
            print(f"network {seed}: {time.time() - began:.0f} s", flush=True)
            for name, problem in reference["problems"].items():
                a, std = np.reshape(problem["operator"], (-1, SIZE)), problem["std"]
                np.save(at / "a.npy", a.astype(np.float32))
                for i, question in enumerate(problem["questions"]):
                    y = np.array(question["y"])
                    np.save(at / "y.npy", y.astype(np.float32))
                    exact = law.given(a, y, std)
                    draws = exact.rows(args.draws, np.random.default_rng([seed, i]))
                    seen = np.sqrt(np.mean((draws @ a.T - y) ** 2, 1)) / std
                    found["exact draws"].append({"problem": name, "seed": seed, **errors(exact, draws, seen)})
                    for method, way in METHODS.items():
                        out = at / f"{seed}-{name}-{i}-{method}"
                        words = ["--operator", f"matrix:{at / 'a.npy'}", "--observe", at / "y.npy", "--noise", std]
                        words += ["--method", method.split(",")[0], "--draws", args.draws, "--at-once", args.draws]
                        began = time.time()
                        said = flow("solve", run, *words, *way, "--seed", seed, "--out", out)
                        row = {"problem": name, "seed": seed, "seconds": time.time() - began}
                        if said is None:
                            x = np.load(out / "samples.npy").reshape(args.draws, SIZE)
                            misfit = json.loads((out / "answers.json").read_text())["misfit"]
                            row |= errors(exact, x, misfit)
                        found[method].append(row | ({"said": said} if said else {}))
    table = []
    for method, rows in found.items():
        whole = [row for row in rows if "said" not in row]
        names = [name for name in whole[0] if name not in ("problem", "seed")]
        mean = {name: float(np.mean([row[name] for row in whole])) for name in names}
        table.append({"method": method, "questions": len(whole), "refused": len(rows) - len(whole), **mean})
        print(json.dumps(table[-1]))
    args.out.write_text(json.dumps({"draws": args.draws, "means": table, "rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Conditions that are numbers, and what the coupling does to them.

    python3 benches/peers/conditions.py --flow target/release/flow --out conditions.json

Eight Gaussians to two moons with the condition c, the first coordinate of the end (Cheng & Schwing 2025,
arXiv:2503.10636): rows of the Gaussians know no condition. And the law of x given c where both
are jointly normal, whose mean and deviation are known. Three couplings each, three seeds. Needs numpy, scipy.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from populations import flow, gaussians, moons, w2

COUPLINGS = ["independent", "ot", "conditional"]
RHO = 0.8


def save(path, columns, rows):
    np.savetxt(path, rows, "%.6g", ",", header=",".join(columns), comments="")


def rows_of(path):
    return np.loadtxt(path, delimiter=",", skiprows=1)


def train(binary, folder, run, coupling, seed, words):
    words = ["train", *words, "--out", run, "--seed", seed, "--threads", 1, "--no-eval"]
    seconds = flow(binary, [*words, "--set", f"path.coupling={coupling}"], folder)
    return {"train_seconds": seconds[0], "train_cpu_seconds": seconds[1]}


def two_moons(binary, folder, seeds):
    rng = np.random.default_rng(1)
    start, end, test = gaussians(rng, 20_000), moons(rng, 20_000), moons(rng, 2000)
    save(folder / "from.csv", ["x", "y"], start)
    save(folder / "to.csv", ["x", "y", "c"], np.column_stack([end, end[:, 0]]))
    save(folder / "start.csv", ["x", "y", "c"], np.column_stack([gaussians(rng, 2000), test[:, 0]]))
    found = {"w2_floor": w2(moons(rng, 2000), test)}
    for coupling in COUPLINGS:
        found[coupling] = []
        for seed in seeds:
            run = f"moons-{coupling}-{seed}"
            words = ["to.csv", "--from", "from.csv", "--given", "c"]
            one = train(binary, folder, run, coupling, seed, words)
            for name, solver in [("euler1", ["euler", "--steps", 1]), ("adaptive", ["dopri5"])]:
                words = ["push", run, "start.csv", "--solver", *solver, "--batch", 2000, "--threads", 1]
                flow(binary, [*words, "--out", "end.csv"], folder)
                moved = rows_of(folder / "end.csv")[:, :2]
                error = float(np.sqrt(((moved[:, 0] - test[:, 0]) ** 2).mean()))
                one[name] = {"w2": w2(moved, test), "error_of_c": error}
            found[coupling].append(one)
            print(coupling, seed, one, flush=True)
    return found


def normal(binary, folder, seeds, n=2000):
    """x given c is normal with mean RHO c and deviation sqrt(1 - RHO^2)."""
    rng = np.random.default_rng(2)
    c, noise = rng.normal(size=(2, 20_000))
    save(folder / "normal.csv", ["x", "c"], np.column_stack([RHO * c + np.sqrt(1 - RHO**2) * noise, c]))
    known, found = np.sqrt(1 - RHO**2), {}
    for coupling in COUPLINGS:
        found[coupling] = []
        for seed in seeds:
            run = f"normal-{coupling}-{seed}"
            # A line is learned by a small network in 1,000 steps.
            small = ["--set", "network.hidden=64", "--set", "train.images=256000"]
            one = train(binary, folder, run, coupling, seed, ["normal.csv", "--given", "c", *small])
            for c in [-1.5, 0.0, 1.5]:
                words = ["sample", run, "-n", n, "--given", f"c={c}", "--seed", seed, "--threads", 1]
                flow(binary, [*words, "--out", "x.csv"], folder)
                x = rows_of(folder / "x.csv")[:, 0]
                errors = known / np.sqrt(n), known / np.sqrt(2 * n)
                mean, deviation = float(x.mean()), float(x.std(ddof=1))
                one[f"c={c:g}"] = {
                    "mean": mean,
                    "deviation": deviation,
                    "mean_off_in_errors": float((mean - RHO * c) / errors[0]),
                    "deviation_off_in_errors": float((deviation - known) / errors[1]),
                }
            found[coupling].append(one)
            print(coupling, seed, one, flush=True)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flow", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=["moons", "normal"])
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    binary, seeds, started = args.flow.resolve(), range(args.seeds), time.time()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        if args.only != "normal":
            found["moons"] = two_moons(binary, Path(folder), seeds)
        if args.only != "moons":
            found["normal"] = normal(binary, Path(folder), seeds)
    found["minutes"], found["load"] = (time.time() - started) / 60, os.getloadavg()
    args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Data to data by `flow` beside torchcfm, and held-out snapshots beside interpolation.

    python3 benches/peers/populations.py --flow target/release/flow --out populations.json
        [--snapshots FOLDER] [--only pairs|snapshots]

Eight Gaussians to two moons, as torchcfm 1.0.7 defines them: the same number of steps, rows and layers on
one thread, by `flow train --from` and by torchcfm's exact optimal transport; then 2,000 other rows are
carried, and the Wasserstein distance to 2,000 other moons is taken by scipy. The snapshots are held out one
at a time: the rest is trained on by `flow train --time`, and the rows of the snapshot before are carried to
the time that was left out. Needs numpy, scipy and POT; torch and torchcfm for the first part.

FOLDER holds hsmm_pca10.csv.gz, ten principal components of the cells of the Debian package
r-bioc-hsmmsinglecell at 0, 24, 48 and 72 hours; the other snapshots are simulated here.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

STEPS, BATCH = 2000, 256


def gaussians(rng, n):
    """The package passes a standard deviation where a covariance is asked for: sqrt(0.1) is the variance."""
    angle = rng.integers(0, 8, n) * np.pi / 4
    return 5 * np.stack([np.cos(angle), np.sin(angle)], 1) + rng.normal(size=(n, 2)) * 0.1**0.25


def moons(rng, n):
    a, b = np.linspace(0, np.pi, n // 2), np.linspace(0, np.pi, n - n // 2)
    upper, lower = np.stack([np.cos(a), np.sin(a)], 1), np.stack([1 - np.cos(b), 0.5 - np.sin(b)], 1)
    rows = np.concatenate([upper, lower]) + 0.2 * rng.random(n)[:, None]
    return rng.permutation(3 * rows - 1)


def w2(a, b):
    cost = cdist(a, b, "sqeuclidean")
    rows, columns = linear_sum_assignment(cost)
    return float(np.sqrt(cost[rows, columns].mean()))


def w1(a, b):
    import ot

    even = lambda n: np.full(n, 1 / n)
    return float(ot.emd2(even(len(a)), even(len(b)), cdist(a, b), numItermax=10**7))


def energy(states):
    """Mean over rows of the integral of the squared velocity, from states at equal times in [0, 1]."""
    return float(((np.diff(states, axis=0) ** 2).sum(2) * (len(states) - 1)).sum(0).mean())


def flow(binary, words, folder):
    """Runs `flow` and returns its seconds by the clock and of the processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    done = subprocess.run([binary, *map(str, words)], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.time() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def described(states, test, cost):
    found = {"w2": w2(states[-1], test), "path_energy": energy(states)}
    return found | {"normalized_path_energy": abs(found["path_energy"] - cost) / cost}


def ours(binary, folder, seed, start, test, cost):
    """2,000 steps of a network of as many layers and numbers in each as torchcfm's."""
    rng = np.random.default_rng(100 + seed)
    for name, rows in [("from", gaussians(rng, 50_000)), ("to", moons(rng, 50_000)), ("start", start)]:
        np.save(folder / f"{name}.npy", rows.astype(np.float32))
    run = f"run{seed}"
    words = ["train", "populations", "--data", "to.npy", "--from", "from.npy", "--out", run, "--seed", seed]
    words += ["--threads", 1, "--no-eval"]
    for change in ["network.hidden=64", "network.depth=3", f"train.images={STEPS * BATCH}", f"train.batch={BATCH}"]:
        words += ["--set", change]
    wall, cpu = flow(binary, words, folder)
    found = {"train_seconds": wall, "train_cpu_seconds": cpu}
    times = np.linspace(0, 1, 101)[1:]
    words = ["push", run, "start.csv", "--to", ",".join(f"{t:.2f}" for t in times), "--solver", "rk4", "--steps", 100]
    np.savetxt(folder / "start.csv", start, "%.7g", ",", header="x1,x2", comments="")
    flow(binary, [*words, "--threads", 1, "--batch", 2000, "--out", "end.csv"], folder)
    states = np.loadtxt(folder / "end.csv", delimiter=",", skiprows=1)[:, -2:].reshape(100, -1, 2)
    found |= described(np.concatenate([start[None], states]), test, cost)
    words = ["push", run, "start.csv", "--solver", "euler", "--steps", 10, "--batch", 2000, "--out", "euler.csv"]
    flow(binary, [*words, "--threads", 1], folder)
    found["w2_euler10"] = w2(np.loadtxt(folder / "euler.csv", delimiter=",", skiprows=1), test)
    return found


def theirs(seed, start, test, cost):
    """torchcfm's example: MLP 3 x 64 with SELU, Adam at 1e-3, sigma 0.1, fresh rows in every step."""
    import torch
    from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher as Matcher

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(100 + seed)
    layers = []
    for i, o in [(3, 64), (64, 64), (64, 64)]:
        layers += [torch.nn.Linear(i, o), torch.nn.SELU()]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(64, 2))
    optimizer, matcher = torch.optim.Adam(net.parameters(), 1e-3), Matcher(sigma=0.1)
    tensor = lambda rows: torch.from_numpy(rows.astype(np.float32))
    wall, cpu = time.time(), time.process_time()
    for _ in range(STEPS):
        t, x, u = matcher.sample_location_and_conditional_flow(tensor(gaussians(rng, BATCH)), tensor(moons(rng, BATCH)))
        loss = ((net(torch.cat([x, t[:, None]], 1)) - u) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = {"train_seconds": time.time() - wall, "train_cpu_seconds": time.process_time() - cpu}

    def velocity(t, x):
        with torch.no_grad():
            return net(torch.cat([x, torch.full((len(x), 1), t)], 1))

    states, h = [tensor(start)], 0.01
    for i in range(100):
        t, x = i * h, states[-1]
        a = velocity(t, x)
        b = velocity(t + h / 2, x + h / 2 * a)
        c = velocity(t + h / 2, x + h / 2 * b)
        states.append(x + h / 6 * (a + 2 * b + 2 * c + velocity(t + h, x + h * c)))
    found |= described(torch.stack(states).numpy(), test, cost)
    x = tensor(start)
    for i in range(10):
        x = x + 0.1 * velocity(i / 10, x)
    return found | {"w2_euler10": w2(x.numpy(), test)}


def pairs(binary, folder, seeds):
    rng = np.random.default_rng(42)
    start, test = gaussians(rng, 2000), moons(rng, 2000)
    cost = w2(start, test) ** 2
    floor = [w2(moons(np.random.default_rng(7 + i), 2000), test) for i in range(3)]
    found = {"w2_floor": float(np.mean(floor)), "w2_squared_from_to": cost, "flow": [], "torchcfm": []}
    for seed in seeds:
        # In turns, so that what else the machine does falls on both.
        found["flow"].append(ours(binary, folder, seed, start, test, cost))
        print("flow", seed, found["flow"][-1], flush=True)
        found["torchcfm"].append(theirs(seed, start, test, cost))
        print("torchcfm", seed, found["torchcfm"][-1], flush=True)
    return found


def branching(rng, n, times):
    """dx = f(x) dt + 0.25 dW: one branch becomes two near t = 0.8; independent cells at every time."""

    def drift(x):
        x1, x2, x3, x4, x5 = x.T
        second = 4 * (x2 * np.tanh(2 * (x1 - 0.8)) - x2**3)
        return np.stack([np.ones_like(x1), second, -2 * (x3 - np.sin(2 * x1)), -(x4 - 0.5 * x2), -0.5 * x5], 1)

    found = []
    for end in times:
        x = np.concatenate([rng.normal(0, 0.15, (n, 4)), rng.normal(1, 0.3, (n, 1))], 1)
        for _ in range(round(end / 0.005)):
            x = x + drift(x) * 0.005 + 0.25 * np.sqrt(0.005) * rng.normal(size=x.shape)
        found.append(x)
    return found


def held_out(binary, folder, name, times, cells, at, seeds):
    """The snapshot `at` is left out; the one before is carried to its time."""
    import ot

    truth, (before, after) = cells[at], (cells[at - 1], cells[at + 1])
    share = (times[at] - times[at - 1]) / (times[at + 1] - times[at - 1])
    even = lambda n: np.full(n, 1 / n)
    plan = ot.emd(even(len(before)), even(len(after)), cdist(before, after, "sqeuclidean"), numItermax=10**7)
    i, j = np.nonzero(plan)
    between = (1 - share) * before[i] + share * after[j]
    weights = plan[i, j] / plan[i, j].sum()
    middle = float(ot.emd2(weights, even(len(truth)), cdist(between, truth), numItermax=10**7))
    found = {"before": w1(before, truth), "after": w1(after, truth), "interpolation": middle, "flow": []}
    columns = ",".join(f"x{k + 1}" for k in range(truth.shape[1]))
    rows = [np.column_stack([np.full(len(c), t), c]) for t, c in zip(times, cells) if t != times[at]]
    np.savetxt(folder / "cells.csv", np.concatenate(rows), "%.7g", ",", header=f"time,{columns}", comments="")
    for seed in seeds:
        run = f"{name}-{at}-{seed}"
        words = ["train", "cells.csv", "--time", "time", "--out", run, "--seed", seed, "--threads", 1, "--no-eval"]
        seconds = flow(binary, words, folder)
        words = ["push", run, "cells.csv", "--from", f"{times[at - 1]:g}", "--to", f"{times[at]:g}", "--threads", 1]
        flow(binary, [*words, "--out", "moved.csv"], folder)
        moved = np.loadtxt(folder / "moved.csv", delimiter=",", skiprows=1)[:, 1:]
        found["flow"].append({"w1": w1(moved, truth), "train_seconds": seconds[0], "train_cpu_seconds": seconds[1]})
    print(name, times[at], found, flush=True)
    return {"data": name, "time": times[at], **found}


def snapshots(binary, folder, source, seeds):
    found = []
    times = [0.0, 0.5, 1.0, 1.5, 2.0]
    cells = branching(np.random.default_rng(555), 1000, times)
    floor = w1(branching(np.random.default_rng(556), 1000, [1.0])[0], cells[2])
    found.append({"floor": floor, **held_out(binary, folder, "branching", times, cells, 2, seeds)})
    if source:
        with gzip.open(Path(source) / "hsmm_pca10.csv.gz", "rt") as file:
            table = np.loadtxt(file, delimiter=",", skiprows=1)
        hours, rows = table[:, 0], table[:, 1:6] / table[:, 1].std()
        times = sorted(set(hours))
        cells = [rows[hours == t] for t in times]
        for at in [1, 2]:
            halves = [np.random.default_rng(i).permutation(cells[at]) for i in range(5)]
            floor = float(np.mean([w1(h[: len(h) // 2], h[len(h) // 2 :]) for h in halves]))
            found.append({"floor": floor, **held_out(binary, folder, "hsmm", times, cells, at, seeds)})
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flow", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--snapshots")
    parser.add_argument("--only", choices=["pairs", "snapshots"])
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    binary, seeds = args.flow.resolve(), range(args.seeds)
    found, started = {}, time.time()
    with tempfile.TemporaryDirectory() as folder:
        if args.only != "snapshots":
            found["pairs"] = pairs(binary, Path(folder), seeds)
        if args.only != "pairs":
            found["snapshots"] = snapshots(binary, Path(folder), args.snapshots, seeds)
    found["minutes"], found["load"] = (time.time() - started) / 60, os.getloadavg()
    args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

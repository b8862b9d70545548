"""Are the draws of `flow impute` as spread as what was hidden? Tables with known entries hidden.

    python3 benches/peers/holes.py --flow target/release/flow --out holes.json

A fifth of the rows of each table is held out. A model is trained on the others, then three tenths of the
held-out cells are hidden and drawn 39 times by each method. Of a number the rank of the hidden value among
its draws is one of 0 .. 39, ties broken by lot: were the draws of the law of the hidden value given the rest,
every rank would be as likely, so that 20 of 40 ranks make an interval of 50 % and 36 an interval of 90 %.
Of a category the most frequent draw is compared. Beside the methods stand two controls: values drawn from
the column whatever the rest of the row says (`column`), and the column's value in the nearest of the training
rows by the known numbers, drawn from the five nearest (`neighbours`).

Errors are over the hidden cells of all seeds, each seed with a split, a training and holes of its own. Needs
pandas and scikit-learn.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_wine

DRAWS = 39
# Without dps: what is known is known exactly here, and its pull is stiff where the noise is small.
METHODS = ["mmps", "pigdm", "replacement"]
HIDDEN = 0.3


def penguins():
    here = Path(__file__).resolve().parents[2]
    return pd.read_csv(here / "docs/examples/penguins.csv").drop(columns=["year"]).dropna()


def wine():
    found = load_wine(as_frame=True)
    return found.data.assign(cultivar=[f"c{k}" for k in found.target])


def flow(args, *words):
    subprocess.run([args.flow, *map(str, words), "--threads", "1"], check=True, capture_output=True)


def by_column(train, rows, column, rng):
    return rng.choice(train[column].to_numpy(), (DRAWS, len(rows)))


def by_neighbours(train, rows, column, rng):
    """Draws from the column in the five training rows that are nearest in what is known of each row."""
    numbers = [c for c in train if pd.api.types.is_numeric_dtype(train[c])]
    scale = train[numbers].std()
    known = ((rows[numbers].to_numpy()[:, None] - train[numbers].to_numpy()[None]) / scale.to_numpy()) ** 2
    names = [c for c in train if c not in numbers]
    for name in names:
        differ = (rows[name].to_numpy()[:, None] != train[name].to_numpy()[None]).astype(float)
        differ[rows[name].isna().to_numpy()] = np.nan
        known = np.concatenate([known, differ[..., None]], 2)
    nearest = np.argsort(np.nanmean(known, 2), 1, kind="stable")[:, :5]
    picked = rng.integers(0, nearest.shape[1], (DRAWS, len(rows)))
    return train[column].to_numpy()[nearest[np.arange(len(rows)), picked]]


def one(args, name, table, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table))
    held = len(table) // 5
    test, train = table.iloc[order[:held]].reset_index(drop=True), table.iloc[order[held:]].reset_index(drop=True)
    holes = test.copy()
    hidden = pd.DataFrame(rng.random(test.shape) < HIDDEN, columns=test.columns)
    hidden[hidden.all(axis=1)] = False
    for column in holes:
        holes[column] = holes[column].where(~hidden[column])
    drawn, seconds = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        train.to_csv(folder / "train.csv", index=False)
        holes.to_csv(folder / "holes.csv", index=False)
        started = time.time()
        flow(args, "train", "table", "--data", folder / "train.csv", "--no-eval", "--seed", seed, "--out", folder / "run")
        seconds["train"] = time.time() - started
        for method in args.methods:
            started = time.time()
            out = folder / f"{method}.csv"
            words = ["--draws", DRAWS, "--method", method, "--steps", args.steps, "--seed", seed, "--out", out]
            try:
                flow(args, "impute", folder / "run", folder / "holes.csv", *words)
            except subprocess.CalledProcessError as error:
                # Steps too long for the method end in a sentence and no file.
                print(name, seed, method, error.stderr.decode().strip().splitlines()[-1], flush=True)
                continue
            filled = pd.read_csv(out)
            drawn[method] = {c: filled[c].to_numpy().reshape(DRAWS, len(test)) for c in test}
            seconds[method] = time.time() - started
    for control, draw in [("column", by_column), ("neighbours", by_neighbours)]:
        drawn[control] = {c: draw(train, holes, c, rng) for c in test}
    cells = []
    for method, values in drawn.items():
        for column in test:
            at = hidden[column].to_numpy()
            truth, draws = test[column].to_numpy()[at], values[column][:, at]
            if pd.api.types.is_numeric_dtype(test[column]):
                below, ties = (draws < truth).sum(0), (draws == truth).sum(0)
                rank = below + rng.integers(0, ties + 1)
                scale = train[column].std()
                error = np.abs(np.median(draws, 0) - truth) / scale
                width = (np.sort(draws, 0)[37] - np.sort(draws, 0)[1]) / scale
                cells += [
                    {"method": method, "rank": int(r), "error": float(e), "width": float(w)}
                    for r, e, w in zip(rank, error, width)
                ]
            else:
                for i, name_of in enumerate(truth):
                    found, counts = np.unique(draws[:, i].astype(str), return_counts=True)
                    share = float((draws[:, i].astype(str) == name_of).mean())
                    right = bool(found[counts.argmax()] == name_of)
                    cells.append({"method": method, "right": right, "share": share})
    print(name, seed, {k: round(v, 1) for k, v in seconds.items()}, flush=True)
    return cells, seconds


def summary(cells):
    rows = []
    frame = pd.DataFrame(cells)
    for method, part in frame.groupby("method", sort=False):
        numbers, names = part.dropna(subset=["rank"]), part.dropna(subset=["share"])
        row = {"method": method, "numbers": len(numbers), "names": len(names)}
        for level, low, high in [(50, 10, 29), (90, 2, 37)]:
            share = numbers["rank"].between(low, high).mean()
            row[f"coverage {level}"] = float(share)
            row[f"coverage {level} error"] = float(np.sqrt(share * (1 - share) / len(numbers)))
        row["error"], row["width"] = float(numbers["error"].mean()), float(numbers["width"].mean())
        row["right"], row["share"] = float(names["right"].mean()), float(names["share"].mean())
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flow", default="flow")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--methods", nargs="*", default=METHODS)
    args = parser.parse_args()
    results = {}
    for name, load in [("penguins", penguins), ("wine", wine)]:
        table = load()
        runs = [one(args, name, table, seed) for seed in args.seeds]
        cells = [cell for found, _ in runs for cell in found]
        seconds = pd.DataFrame([s for _, s in runs]).mean().to_dict()
        results[name] = {"rows": len(table), "summary": summary(cells), "seconds": seconds}
        args.out.write_text(json.dumps(results, indent=1))
    print(pd.concat([pd.DataFrame(r["summary"]).assign(table=n) for n, r in results.items()]).round(3).to_string())


if __name__ == "__main__":
    main()

"""Tables by `flow` beside published generators, by the protocol of ForestFlow.

Jolicoeur-Martineau, Fatras & Kachman (2024), "Generating and Imputing Tabular Data via Diffusion and
Flow-based Gradient-Boosted Trees", arXiv:2309.09968: three splits of 80 and 20 %, five generated sets
of as many rows as the training part, scored against the test part in the space of Gower's distance.
Every number here is computed by scipy and scikit-learn, apart from flow's own scores.

    python3 benches/peers/tables.py --flow target/release/flow --out tables.json

needs scikit-learn, pandas and xgboost (or xgboost-cpu). iris, wine, breast cancer and diabetes come
with scikit-learn; penguins (palmerpenguins, CC0) is in benches/peers/data.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist
from sklearn import datasets
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

DATA = Path(__file__).parent / "data"
# ForestFlow in its authors' table (class-conditional, 50 levels); none for the other two.
PUBLISHED = {
    "iris": {"w1_test": 0.32817, "coverage_test": 0.93111, "utility": 0.97636, "seconds": 12.4},
    "wine": {"w1_test": 1.42064, "coverage_test": 0.95370, "utility": 0.94438, "seconds": 68.0},
    "breast_cancer": {"w1_test": 1.74878, "coverage_test": 0.97602, "utility": 0.94447, "seconds": 254.8},
}


def tables():
    """Each table as a frame whose last column is what is to be predicted, and whether it is a class."""
    for name, load in [
        ("iris", datasets.load_iris),
        ("wine", datasets.load_wine),
        ("breast_cancer", datasets.load_breast_cancer),
    ]:
        bunch = load(as_frame=True)
        yield name, bunch.frame, True
    bunch = datasets.load_diabetes(as_frame=True, scaled=False)
    yield "diabetes", bunch.frame, False
    frame = pd.read_csv(DATA / "penguins.csv.gz").dropna()
    yield "penguins", frame[[c for c in frame.columns if c != "species"] + ["species"]], True


def is_category(frame, column):
    return frame[column].dtype == object or str(frame[column].dtype) in ("str", "category")


class Gower:
    """Numbers by the range of the training rows, categories one-hot times a half."""

    def __init__(self, train, classes):
        target = train.columns[-1]
        many = classes and train[target].nunique() > 2
        self.words = [c for c in train if is_category(train, c) or (c == target and many)]
        self.numbers = [c for c in train if c not in self.words]
        low, high = train[self.numbers].min(), train[self.numbers].max()
        self.low, self.span = low, (high - low).replace(0, 1)
        self.names = {c: sorted(train[c].unique(), key=str) for c in self.words}

    def __call__(self, frame):
        parts = [((frame[self.numbers] - self.low) / self.span).to_numpy(float)]
        for c in self.words:
            parts.append(0.5 * (frame[c].to_numpy()[:, None] == np.array(self.names[c], object)[None]))
        return np.concatenate([np.asarray(p, float) for p in parts], 1)


def wasserstein(a, b):
    """Exact, with every row of a set weighing the same."""
    cost = cdist(a, b, "cityblock")
    n, m = cost.shape
    rows = np.concatenate([np.repeat(np.arange(n), m), n + np.tile(np.arange(m), n)])
    columns = np.tile(np.arange(n * m), 2)
    sums = csr_matrix((np.ones(2 * n * m), (rows, columns)))
    masses = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(cost.ravel(), A_eq=sums, b_eq=masses, method="highs").fun


def coverage(real, generated, k=2):
    radius = np.sort(cdist(real, real, "cityblock"), 1)[:, k]
    return float((cdist(real, generated, "cityblock").min(1) < radius).mean())


def utility(train, test, classes):
    """Macro F1 or R2 on real test rows of four models that saw the other rows alone, averaged."""
    from xgboost import XGBClassifier, XGBRegressor

    target = train.columns[-1]
    both = pd.get_dummies(pd.concat([train, test]).drop(columns=target))
    x, held = both.iloc[: len(train)].to_numpy(float), both.iloc[len(train) :].to_numpy(float)
    if classes:
        names = sorted(set(train[target]) | set(test[target]), key=str)
        code = {name: i for i, name in enumerate(names)}
        if set(test[target]) - set(train[target]):
            return 0.0
        y, truth = train[target].map(code), test[target].map(code)
        models = [
            LogisticRegression(C=np.inf, max_iter=500),
            AdaBoostClassifier(n_estimators=50, random_state=0),
            RandomForestClassifier(max_depth=28, random_state=0),
            XGBClassifier(max_depth=6, learning_rate=0.3, reg_lambda=0.0, n_jobs=1),
        ]
        return float(np.mean([f1_score(truth, m.fit(x, y).predict(held), average="macro") for m in models]))
    y, truth = train[target], test[target]
    models = [
        LinearRegression(),
        AdaBoostRegressor(DecisionTreeRegressor(max_depth=3), n_estimators=50, random_state=0),
        RandomForestRegressor(max_depth=28, random_state=0),
        XGBRegressor(max_depth=6, learning_rate=0.3, reg_lambda=0.0, n_jobs=1),
    ]
    return float(np.mean([r2_score(truth, m.fit(x, y).predict(held)) for m in models]))


def scores(train, test, generated, classes):
    gower = Gower(train, classes)
    a, b, g = gower(train), gower(test), gower(generated)
    return {
        "w1_train": wasserstein(g, a),
        "w1_test": wasserstein(g, b),
        "coverage_train": coverage(a, g),
        "coverage_test": coverage(b, g),
        "utility": utility(generated, test, classes),
    }


def flow(arguments, words):
    subprocess.run([arguments.flow, *words], check=True, capture_output=True)


def one(arguments, name, frame, classes, seed):
    stratify = frame.iloc[:, -1] if classes else None
    train, test = train_test_split(frame, test_size=0.2, random_state=seed, stratify=stratify)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for part, rows in [("train", train), ("test", test)]:
            rows.to_csv(folder / f"{part}.csv", index=False)
        split = f'data.split={{kind="file",path="{folder / "test.csv"}"}}'
        words = ["train", "table", "--data", str(folder / "train.csv"), "--set", split, "--no-eval"]
        words += ["--seed", str(seed), "--threads", "1", "--out", str(folder / "run")]
        started = time.time()
        flow(arguments, words + [w for change in arguments.set for w in ("--set", change)])
        trained = time.time() - started
        found, sampled = [], 0.0
        for draw in range(arguments.sets):
            started = time.time()
            out = folder / f"{draw}.csv"
            words = ["sample", str(folder / "run"), "-n", str(len(train)), "--seed", str(draw)]
            flow(arguments, [*words, "--threads", "1", "--out", str(out)])
            sampled += time.time() - started
            generated = pd.read_csv(out)[list(train.columns)]
            found.append(scores(train, test, generated, classes))
    mean = {key: float(np.mean([score[key] for score in found])) for key in found[0]}
    floor = scores(train, test, train, classes)
    return {"table": name, "seed": seed, "trained": trained, "sampled": sampled, **mean, "floor": floor}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--flow", default="flow")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--tables", nargs="*", default=None)
    parser.add_argument("--set", action="append", default=[], help="a change of the recipe")
    arguments = parser.parse_args()
    rows = []
    for name, frame, classes in tables():
        if arguments.tables is None or name in arguments.tables:
            for seed in arguments.seeds:
                rows.append(one(arguments, name, frame, classes, seed))
                print(json.dumps(rows[-1]), flush=True)
                arguments.out.write_text(json.dumps({"published": PUBLISHED, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

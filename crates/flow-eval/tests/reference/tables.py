"""Numbers of `tables.json`: floors of iris by the protocol of ForestDiffusion, and exact plans.

Run with numpy, POT and scikit-learn: `python3 tables.py > tables.json`. The protocol is that of
Jolicoeur-Martineau, Fatras & Kachman (2024), arXiv:2309.09968; the third split is the one of their
program with `random_state=2`.
"""

import json

import numpy as np
import ot
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

x, y = load_iris(return_X_y=True)
table = np.column_stack([x, y])


def embed(rows, train):
    low, high = train[:, :4].min(0), train[:, :4].max(0)
    return np.hstack([(rows[:, :4] - low) / (high - low), np.eye(3)[rows[:, 4].astype(int)] / 2])


def cost(a, b, power):
    return (np.abs(a[:, None] - b[None]) ** power).sum(-1)


def exact(matrix):
    n, m = matrix.shape
    return float(ot.emd2(np.full(n, 1 / n), np.full(m, 1 / m), matrix, numItermax=10**7))


def coverage(real, generated, k):
    radius = np.sort(cost(real, real, 1), axis=1)[:, k]
    return float((cost(real, generated, 1).min(1) < radius).mean())


splits = []
for seed in range(3):
    rows = np.arange(len(y))
    train, test = train_test_split(rows, test_size=0.2, random_state=seed, stratify=y)
    a, b = embed(table[train], table[train]), embed(table[test], table[train])
    splits.append(
        {
            "test": sorted(int(i) for i in test),
            "w1": exact(cost(a, b, 1)),
            "coverage": coverage(b, a, 2),
        }
    )

rng = np.random.default_rng(5)
a = rng.normal(size=(40, 3)).astype(np.float32).astype(float)
b = (rng.normal(size=(28, 3)) + 0.3).astype(np.float32).astype(float)
numbers = lambda rows: [[float(v) for v in row] for row in rows]
print(
    json.dumps(
        {
            "iris": numbers(table),
            "splits": splits,
            "a": numbers(a),
            "b": numbers(b),
            "manhattan": exact(cost(a, b, 1)),
            "euclidean": exact(np.sqrt(cost(a, b, 2))),
            "coverage": coverage(a, b, 2),
            "squared": float(np.sqrt(exact(cost(a, b, 2)))),
        }
    )
)

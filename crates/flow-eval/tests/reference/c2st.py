"""The sets of c2st.f32, and what the classifier of the benchmark says of them (c2st.rs).

    python c2st.py FOLDER

FOLDER holds TASK.npz with `reference_full_obs1`, `[10000, d]`: the reference draws of the first
observation of each task of sbibm 1.1.0 (Lueckmann et al. 2021, arXiv:2101.04653, MIT).

For each task the file has, as little-endian f32, A = rows 0::5, B = rows 1::5 and, but for
gaussian_linear, draws of a normal law with the mean and the covariance of A. The values beside them
are those of scikit-learn 1.9.1: MLPClassifier of two layers of 10 d units, 5 folds, one seed.
"""

import pathlib
import sys

import numpy as np
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPClassifier

TASKS = ["two_moons", "gaussian_mixture", "sir", "lotka_volterra", "slcp", "gaussian_linear"]


def c2st(x, y, seed=1):
    mean, std = x.mean(0), x.std(0, ddof=1)
    data = np.concatenate([(x - mean) / std, (y - mean) / std])
    target = np.concatenate([np.zeros(len(x)), np.ones(len(y))])
    units = 10 * x.shape[1]
    network = MLPClassifier((units, units), activation="relu", solver="adam", max_iter=10000,
                            random_state=seed)
    folds = KFold(5, shuffle=True, random_state=seed)
    return cross_val_score(network, data, target, cv=folds, scoring="accuracy").mean()


if __name__ == "__main__":
    parts = []
    for task in TASKS:
        draws = np.load(pathlib.Path(sys.argv[1]) / f"{task}.npz")["reference_full_obs1"]
        a, b = draws[0::5].astype(float), draws[1::5].astype(float)
        mean, std = a.mean(0), a.std(0, ddof=1)
        sets = {"floor": b, "inflated": mean + 1.5 * (b - mean), "shifted": b + 0.5 * std}
        parts += [a, b]
        if task != "gaussian_linear":
            normal = np.random.default_rng(7).multivariate_normal(mean, np.cov(a.T), len(a))
            sets["normal"] = normal
            parts.append(normal)
        for name, y in sets.items():
            print(task, name, c2st(a, y))
    numbers = np.concatenate([part.ravel() for part in parts]).astype("<f4")
    numbers.tofile(pathlib.Path(__file__).with_suffix(".f32"))

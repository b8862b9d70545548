"""Exact posteriors of a mixture of four Gaussians in eight dimensions under linear observations.

    python inverse.py gmm8.npz

The archive holds a prior, five operators, observations and posteriors by the gain form of the
Kalman update, confirmed by importance weighting of 2e6 prior samples. This script computes the
posteriors again by the information form, with precisions in place of gains, refuses to go on where
the two differ, and writes those of the information form with the exact field of the linear path.
"""

import json
import sys
from pathlib import Path

import numpy as np

archive = np.load(sys.argv[1])
weights, means, covs = (archive[f"prior_{name}"] for name in ("weights", "means", "covs"))


def posterior(a, std, y):
    """Mean, covariance and weights given y = a x + std n."""
    logs, centres, spreads = [], [], []
    for weight, mean, cov in zip(weights, means, covs):
        precision = np.linalg.inv(cov)
        spread = np.linalg.inv(precision + a.T @ a / std**2)
        centre = spread @ (precision @ mean + a.T @ y / std**2)
        # log of the ratio of the prior to the posterior density at any point, here the centre.
        misfit = np.sum((y - a @ centre) ** 2) / std**2
        away = (centre - mean) @ precision @ (centre - mean)
        volumes = np.linalg.slogdet(spread)[1] - np.linalg.slogdet(cov)[1]
        logs.append(np.log(weight) + 0.5 * (volumes - misfit - away))
        centres.append(centre)
        spreads.append(spread)
    shares = np.exp(np.array(logs) - np.max(logs))
    shares /= shares.sum()
    mean = np.einsum("k,ki->i", shares, centres)
    apart = np.array(centres) - mean
    cov = np.einsum("k,kij->ij", shares, spreads) + np.einsum("k,ki,kj->ij", shares, apart, apart)
    return shares, mean, cov


def flat(array):
    return [float(f"{number:.10g}") for number in np.asarray(array, dtype=float).ravel()]


problems = {}
for name in ("inpaint_first4", "inpaint_every_other", "mean_of_pairs", "random3", "denoise_full"):
    a, std = archive[f"{name}__A"], float(archive[f"{name}__noise_sd"][0])
    questions = []
    for index, y in enumerate(archive[f"{name}__y"]):
        shares, mean, cov = posterior(a, std, y)
        for ours, theirs in ((shares, "weights"), (mean, "mean"), (cov, "cov")):
            assert np.allclose(ours, archive[f"{name}__post_{theirs}"][index], atol=1e-9)
        questions.append(
            {"y": flat(y), "shares": flat(shares), "mean": flat(mean), "covariance": flat(cov)}
        )
    problems[name] = {"operator": flat(a), "std": std, "questions": questions}

field = {
    "times": flat(archive["field_t"]),
    "points": flat(archive["field_x"][:, :3]),
    "velocities": flat(archive["field_velocity"][:, :3]),
}
reference = {
    "made_by": f"inverse.py, numpy {np.__version__}",
    "weights": flat(weights),
    "means": flat(means),
    "covariances": flat(covs),
    "problems": problems,
    "field": field,
}
Path(__file__).with_suffix(".json").write_text(json.dumps(reference) + "\n")

"""Costs of optimal assignments by scipy, for tests/coupling.rs.

Matrices come from splitmix64, so that both sides build the same ones.
    python assignment.py > assignment.json
"""
import json

import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment

MASK = (1 << 64) - 1


def uniform(n, seed):
    """n numbers in [0, 1)."""
    out, state = [], seed
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        out.append((z >> 11) / (1 << 53))
    return np.array(out)


def solve(cost):
    return float(cost[linear_sum_assignment(cost)].sum())


points = np.float32(uniform(2 * 256 * 8, 2)).reshape(2, 256, 8).astype(np.float64)
print(json.dumps({
    "scipy": scipy.__version__,
    "random_256": solve(uniform(256 * 256, 1).reshape(256, 256)),
    "points_256": solve(((points[1][:, None] - points[0][None]) ** 2).sum(-1)),
}, indent=1))

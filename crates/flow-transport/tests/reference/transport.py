"""Answers of scipy and POT for tests/assignment.rs, tests/partial.rs and tests/entropic.rs.

Numbers come from splitmix64, so that both sides build the same ones.
    pip install numpy scipy POT
    python transport.py > transport.json
"""
import json

import numpy as np
import ot
import scipy
from scipy.optimize import linear_sum_assignment, linprog, minimize

MASK = (1 << 64) - 1


def uniform(rows, columns, seed):
    """A matrix of numbers in [0, 1)."""
    out, state = [], seed
    for _ in range(rows * columns):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        out.append((z >> 11) / (1 << 53))
    return np.array(out).reshape(rows, columns)


def assigned(cost):
    return float(cost[linear_sum_assignment(cost)].sum())


def squared(dim, n, m, scale=1.0):
    a = np.float32(uniform(n, dim, 2) * scale).astype(np.float64)
    b = np.float32(uniform(m, dim, 3) * scale).astype(np.float64)
    return ((a[:, None] - b[None]) ** 2).sum(-1)


def partial(cost, pairs):
    """The cheapest `pairs` pairs, as a linear program, whose vertices are whole numbers."""
    m, n = cost.shape
    rows = np.kron(np.eye(m), np.ones(n))
    columns = np.kron(np.ones(m), np.eye(n))
    answer = linprog(
        cost.ravel(),
        A_ub=np.vstack([rows, columns]), b_ub=np.ones(m + n),
        A_eq=np.ones((1, m * n)), b_eq=[pairs], bounds=(0, 1), method="highs-ds",
    )
    return float(answer.fun)


def entropic(cost, epsilon):
    m, n = cost.shape
    a, b = np.full(m, 1 / m), np.full(n, 1 / n)
    plan = ot.sinkhorn(a, b, cost, epsilon, method="sinkhorn_log", numItermax=200000, stopThr=1e-14)
    return plan.ravel().tolist()


def unbalanced(cost, epsilon, rho):
    """Minimises <P, C> + epsilon KL(P | ab) + rho KL(P1 | a) + rho KL(P'1 | b) over log P."""
    m, n = cost.shape
    a, b = np.full(m, 1 / m), np.full(n, 1 / n)
    prior = np.outer(a, b)

    def kl(p, q):
        return (p * np.log(p / q) - p + q).sum()

    def objective(log_p):
        p = np.exp(log_p).reshape(m, n)
        r, c = p.sum(1), p.sum(0)
        value = (p * cost).sum() + epsilon * kl(p, prior) + rho * kl(r, a) + rho * kl(c, b)
        slope = cost + epsilon * np.log(p / prior)
        slope += rho * np.log(r / a)[:, None] + rho * np.log(c / b)[None]
        return value, (slope * p).ravel()

    found = minimize(objective, np.log(prior).ravel(), jac=True, method="BFGS",
                     options={"gtol": 1e-13, "maxiter": 20000})
    return np.exp(found.x).tolist()


print(json.dumps({
    "scipy": scipy.__version__,
    "pot": ot.__version__,
    "square_256": assigned(uniform(256, 256, 1)),
    "wide_100_250": assigned(uniform(100, 250, 1)),
    "tall_250_100": assigned(uniform(250, 100, 1)),
    "points_256": assigned(squared(8, 256, 256)),
    "points_60_200": assigned(squared(3, 60, 200)),
    "partial_12_9_5": partial(uniform(12, 9, 4), 5),
    "partial_20_20_17": partial(uniform(20, 20, 4), 17),
    "entropic_5_7": entropic(uniform(5, 7, 5), 0.05),
    "unbalanced_4_6": unbalanced(uniform(4, 6, 6), 0.1, 0.3),
}, indent=1))

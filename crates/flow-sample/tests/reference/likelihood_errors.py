"""Writes likelihood_errors.json: errors of the log-density by coarse steps, and of a single probe.

    python3 crates/flow-sample/tests/reference/likelihood_errors.py

numpy alone, in double precision, with its own field of a mixture of three Gaussians and its own solvers; the divergence by
central differences, which err by some 1e-8. The diffusion ends 1e-5 before the data, as `flow_path::ENDPOINT_MARGIN` says.
"""

import json
from pathlib import Path

import numpy as np

WEIGHTS = np.array([0.5, 0.3, 0.2])
MEANS = np.array([[2.0, 0.0], [-1.5, 1.5], [-1.0, -2.0]])
COVARIANCES = np.array([[[0.25, 0.1], [0.1, 0.16]], [[0.09, -0.03], [-0.03, 0.2]], [[0.3, 0.0], [0.0, 0.05]]])
POINTS = np.array([[2.1, 0.3], [-1.4, 1.2], [-0.8, -1.9], [0.2, 0.1], [1.0, -1.0], [-2.0, 2.2]])
H = 1e-5


def linear(t):
    """alpha, sigma^2, alpha', sigma sigma'."""
    return t, (1 - t) ** 2, 1.0, -(1 - t)


def preserving(t, low=0.1, high=20.0):
    s = 1 - t
    integral, rate = low * s + (high - low) * s * s / 2, (low + (high - low) * s) / 2
    alpha = np.exp(-integral / 2)
    return alpha, -np.expm1(-integral), rate * alpha, -rate * alpha**2


def parts(path, x, t):
    """log w_k N(x; alpha m_k, C_k) for each k, and C_k^-1 (x - alpha m_k)."""
    alpha, noise, _, _ = path(t)
    logs, solved = [], []
    for weight, mean, covariance in zip(WEIGHTS, MEANS, COVARIANCES):
        c = alpha**2 * covariance + noise * np.eye(2)
        centred = x - alpha * mean
        solved.append(np.linalg.solve(c, centred.T).T)
        square = (centred * solved[-1]).sum(1)
        logs.append(np.log(weight) - square / 2 - np.log(np.linalg.det(c)) / 2 - np.log(2 * np.pi))
    return np.array(logs), solved


def log_density(path, x, t):
    return np.logaddexp.reduce(parts(path, x, t)[0], axis=0)


def velocity(path, x, t):
    alpha, _, rise, fade = path(t)
    logs, solved = parts(path, x, t)
    shares = np.exp(logs - np.logaddexp.reduce(logs, axis=0))
    total = 0.0
    for share, mean, covariance, y in zip(shares, MEANS, COVARIANCES, solved):
        gain = alpha * rise * covariance + fade * np.eye(2)
        total = total + share[:, None] * (rise * mean + y @ gain)
    return total


def rate(path, y, t):
    """Of x and of the integral of the divergence."""
    x = y[:, :2]
    sides = [(velocity(path, x + H * e, t) - velocity(path, x - H * e, t))[:, i] / (2 * H) for i, e in enumerate(np.eye(2))]
    return np.column_stack([velocity(path, x, t), sum(sides)])


def step(method, f, t, y, h):
    k1 = f(t, y)
    if method == "euler":
        return y + h * k1
    if method == "midpoint":
        return y + h * f(t + h / 2, y + h / 2 * k1)
    if method == "heun2":
        return y + h / 2 * (k1 + f(t + h, y + h * k1))
    k2 = f(t + h / 2, y + h / 2 * k1)
    k3 = f(t + h / 2, y + h / 2 * k2)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + f(t + h, y + h * k3))


def errors(path, end, method, steps):
    y, h = np.column_stack([POINTS, np.zeros(len(POINTS))]), -end / steps
    for i in range(steps):
        y = step(method, lambda t, y: rate(path, y, t), end + i * h, y, h)
    # log p_1(x_1) = log p_0(x_0) - (the integral of div v from 0 to 1), and y[:, 2] is minus that integral.
    off = log_density(path, y[:, :2], 0.0) + y[:, 2] - log_density(path, POINTS, end)
    return [method, steps, abs(off).max(), off.mean()]


def shears(path, end, steps=2000):
    """The integral of half of dv_1/dx_2 + dv_2/dx_1 along the paths to each of the points."""

    def f(t, y):
        x = y[:, :2]
        slopes = [(velocity(path, x + H * e, t) - velocity(path, x - H * e, t)) / (2 * H) for e in np.eye(2)]
        return np.column_stack([velocity(path, x, t), (slopes[0][:, 1] + slopes[1][:, 0]) / 2])

    y, h = np.column_stack([POINTS, np.zeros(len(POINTS))]), -end / steps
    for i in range(steps):
        y = step("rk4", f, end + i * h, y, h)
    return list(-y[:, 2])


RUNS = [("euler", 20), ("euler", 100), ("euler", 1000), ("midpoint", 10), ("midpoint", 50), ("heun2", 50), ("rk4", 10), ("rk4", 25)]
PATHS = {"linear": (linear, 1.0), "vp": (preserving, 1 - 1e-5)}
TABLE = {name: [errors(*path, *run) for run in RUNS] for name, path in PATHS.items()}
TABLE["shears"] = shears(*PATHS["linear"])
Path(__file__).with_suffix(".json").write_text(json.dumps(TABLE, indent=1) + "\n")

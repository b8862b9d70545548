"""Writes problems.json: 22 initial-value problems, their answers, and torchdiffeq's dopri5 on them.

Answers are integrated in 80-bit long double by DOP853 (scipy's coefficients) with N and 2N equal steps, N chosen so
that the two agree to 1e-14 of the answer's size; where there is a closed form it is compared as well. torchdiffeq runs
in float64 with atol = rtol.

    pip install torch torchdiffeq scipy && python crates/flow-ode/tests/reference/make.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from scipy.integrate._ivp import dop853_coefficients as dop853
from torchdiffeq import odeint

LONG = np.longdouble
PI = LONG("3.14159265358979323846264338327950288")
TOLERANCES = ["0.001", "1e-05", "1e-07"]

# The mixture of three Gaussians in the plane, as in tests/common/mixture.rs.
WEIGHTS = np.array([0.5, 0.3, 0.2], LONG)
MEANS = np.array([[2.0, 0.0], [-1.5, 1.5], [-1.0, -2.0]], LONG)
COVARIANCES = np.array([[0.25, 0.1, 0.16], [0.09, -0.03, 0.2], [0.3, 0.0, 0.05]], LONG)  # xx, xy, yy
POINTS = [0.3, -0.7, 1.2, 0.4, -0.9, 0.1, -0.2, 1.5, 0.05, 0.02, -1.4, -1.1]
VE_SMALLEST, VE_LARGEST = LONG("0.01"), LONG(10)


def linear(t):
    return t, (1 - t) ** 2, 1, t - 1


def cosine(t):
    a, s = np.sin(PI * t / 2), np.cos(PI * t / 2)
    return a, s * s, PI / 2 * s, -PI / 2 * a * s


def variance_preserving(t):
    s = 1 - t
    b = s / 10 + LONG("9.95") * s * s
    a = np.exp(-b / 2)
    d_a = a * (LONG("0.1") + LONG("19.9") * s) / 2
    return a, -np.expm1(-b), d_a, -a * d_a


def variance_exploding(t):
    s = VE_SMALLEST * (VE_LARGEST / VE_SMALLEST) ** (1 - t)
    return LONG(1), s * s, 0, -s * s * np.log(VE_LARGEST / VE_SMALLEST)


def mixture(schedule):
    """The velocity of the flow whose `schedule` gives alpha, sigma^2, alpha' and sigma sigma'.

    Past t = 1, where torchdiffeq evaluates it as well, the formula goes on.
    """

    def field(t, y):
        a, noise, d_a, s_d_s = schedule(LONG(t))
        logs, parts = [], []
        for weight, mean, (xx, xy, yy) in zip(WEIGHTS, MEANS, COVARIANCES):
            cxx, cxy, cyy = a * a * xx + noise, a * a * xy, a * a * yy + noise
            det = cxx * cyy - cxy * cxy
            rx, ry = y[0::2] - a * mean[0], y[1::2] - a * mean[1]
            zx, zy = (cyy * rx - cxy * ry) / det, (cxx * ry - cxy * rx) / det
            gxx, gxy, gyy = a * d_a * xx + s_d_s, a * d_a * xy, a * d_a * yy + s_d_s
            parts.append([d_a * mean[0] + gxx * zx + gxy * zy, d_a * mean[1] + gxy * zx + gyy * zy])
            logs.append(np.log(weight) - np.log(det) / 2 - (rx * zx + ry * zy) / 2)
        share = np.exp(np.array(logs) - np.max(logs, axis=0))
        u = np.einsum("kb,kib->ib", share / share.sum(axis=0), np.array(parts))
        return u.T.reshape(-1)

    return field


def torus(t, y):
    r = np.sqrt(y[0] ** 2 + y[1] ** 2)
    return [-y[1] - y[0] * y[2] / r, y[0] - y[1] * y[2] / r, y[0] / r]


def spiral(t, y):
    pull, turn = 1 - y[0] ** 2 - y[1] ** 2, 1 + np.cos(t)
    return [y[0] * pull - turn * y[1], y[1] * pull + turn * y[0]]


def sine_solution(t):
    return (-np.cos(2 * t) / 2 + 2) * t**4 + (np.sin(2 * t) / 2 - 1) * t**3 + (np.cos(2 * t) / 4 + PI - LONG("0.25")) * t**2


# name: equation, field, span, start, closed form or None
PROBLEMS = {
    "exp_decay": ("y' = -y", lambda t, y: -y, (0, 10), [1], lambda t: np.exp(-t)),
    "exp_growth": ("y' = y", lambda t, y: y, (0, 5), [1], np.exp),
    "oscillator": ("x' = v, v' = -9 x", lambda t, y: [y[1], -9 * y[0]], (0, 10), [1, 0], lambda t: [np.cos(3 * t), -3 * np.sin(3 * t)]),
    "logistic": ("y' = y (1 - y)", lambda t, y: y * (1 - y), (0, 10), [0.01], lambda t: 1 / (1 + (1 / LONG(0.01) - 1) * np.exp(-t))),
    "van_der_pol": ("x' = v, v' = 2 (1 - x^2) v - x", lambda t, y: [y[1], 2 * (1 - y[0] ** 2) * y[1] - y[0]], (0, 10), [2, 0], None),
    "lotka_volterra": ("x' = 1.5 x - x y, y' = x y - 3 y", lambda t, y: [LONG(1.5) * y[0] - y[0] * y[1], y[0] * y[1] - 3 * y[1]], (0, 10), [1, 1], None),
    "sine_ode": ("y' = 2 y / t + t^4 sin 2t - t^2 + 4 t^3", lambda t, y: 2 * y / t + t**4 * np.sin(2 * t) - t**2 + 4 * t**3, (1, 8), None, sine_solution),
    "radial_nonautonomous": ("r' = r (1 - r^2), angle' = 1 + cos t, in cartesian coordinates", spiral, (0, 5), [0.5, 0], None),
    "A1": ("y' = -y", lambda t, y: -y, (0, 20), [1], lambda t: np.exp(-t)),
    "A2": ("y' = -y^3 / 2", lambda t, y: -(y**3) / 2, (0, 20), [1], lambda t: 1 / np.sqrt(t + 1)),
    "A3": ("y' = y cos t", lambda t, y: y * np.cos(t), (0, 20), [1], lambda t: np.exp(np.sin(t))),
    "A4": ("y' = y / 4 (1 - y / 20)", lambda t, y: y / 4 * (1 - y / 20), (0, 20), [1], lambda t: 20 / (1 + 19 * np.exp(-t / 4))),
    "A5": ("y' = (y - t) / (y + t)", lambda t, y: (y - t) / (y + t), (0, 20), [4], None),
    "B1": ("a' = 2 (a - a b), b' = -(b - a b)", lambda t, y: [2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])], (0, 20), [1, 3], None),
    "B2": ("a' = -a + b, b' = a - 2 b + c, c' = b - c", lambda t, y: [-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]], (0, 20), [2, 0, 1], lambda t: [1 + np.exp(-t) / 2 + np.exp(-3 * t) / 2, 1 - np.exp(-3 * t), 1 - np.exp(-t) / 2 + np.exp(-3 * t) / 2]),
    "B3": ("a' = -a, b' = a - b^2, c' = b^2", lambda t, y: [-y[0], y[0] - y[1] ** 2, y[1] ** 2], (0, 20), [1, 0, 0], None),
    "B4": ("r = |(a, b)|, a' = -b - a c / r, b' = a - b c / r, c' = a / r", torus, (0, 20), [3, 0, 0], None),
    "B5": ("a' = b c, b' = -a c, c' = -0.51 a b", lambda t, y: [y[1] * y[2], -y[0] * y[2], -LONG(0.51) * y[0] * y[1]], (0, 20), [0, 1, 1], None),
    "gmm_ot": ("flow onto a mixture of three Gaussians, linear path", mixture(linear), (0, 1), POINTS, None),
    "gmm_cosine": ("the same, alpha = sin(pi t / 2), sigma = cos(pi t / 2)", mixture(cosine), (0, 1), POINTS, None),
    "gmm_vp": ("the same, variance-preserving path", mixture(variance_preserving), (0, 1), POINTS, None),
    "gmm_ve": ("the same, alpha = 1, sigma = 0.01 * 1000^(1 - t), starts scaled by 10", mixture(variance_exploding), (0, 1), [10 * p for p in POINTS], None),
}


def integrate(field, times, y, steps):
    """DOP853 in long double: `steps` equal steps between each two of `times`; the states there."""
    a, b, c = (np.array(x, LONG) for x in (dop853.A[:12, :12], dop853.B, dop853.C[:12]))
    y, states = np.array(y, LONG), []
    for t0, t1 in zip(times, times[1:]):
        h = (t1 - t0) / steps
        for i in range(steps):
            k = np.zeros((12, len(y)), LONG)
            for stage in range(12):
                k[stage] = field(t0 + (i + c[stage]) * h, y + h * (a[stage, :stage] @ k[:stage]))
            y = y + h * (b @ k)
        states.append(y)
    return states


def answers(field, times, y0, closed_form):
    steps, previous = 100, None
    while True:
        states = np.array(integrate(field, times, y0, steps))
        if previous is not None:
            apart = np.max(np.abs(states - previous) / np.maximum(np.abs(states), 1))
            if apart < 1e-14:
                break
        previous, steps = states, 2 * steps
        assert steps < 20_000, apart
    if closed_form is not None:
        exact = np.array([np.reshape(closed_form(t), -1) for t in times[1:]])
        assert np.max(np.abs(states - exact) / np.maximum(np.abs(exact), 1)) < 1e-14, (states, exact)
        states = exact
    return states.astype(np.float64)


def torchdiffeq(field, span, y0, tolerance, answer):
    calls = 0

    def counted(t, y):
        nonlocal calls
        calls += 1
        return torch.from_numpy(np.array(field(float(t), y.numpy()), np.float64))

    times = torch.tensor(span, dtype=torch.float64)
    end = odeint(counted, torch.tensor(y0, dtype=torch.float64), times, rtol=float(tolerance), atol=float(tolerance))[-1]
    return {"evals": calls, "error": float(np.max(np.abs(end.numpy() - answer)))}


def main():
    problems = []
    for name, (equation, field, span, y0, closed_form) in PROBLEMS.items():
        y0 = [float(closed_form(LONG(span[0])))] if y0 is None else [float(y) for y in y0]
        times = [span[0] + (span[1] - span[0]) * share for share in (0.1, 0.35, 0.6, 0.85)]
        nodes = [LONG(t) for t in (span[0], *times, span[1])]
        *at_times, answer = answers(field, nodes, y0, closed_form)
        problems.append(
            {
                "name": name,
                "equation": equation,
                "t0": float(span[0]),
                "t1": float(span[1]),
                "y0": y0,
                "answer": list(answer),
                "times": times,
                "at_times": [list(y) for y in at_times],
                "torchdiffeq": {tol: torchdiffeq(field, span, y0, tol, answer) for tol in TOLERANCES},
            }
        )
        print(name, [run for run in problems[-1]["torchdiffeq"].values()], flush=True)
    for tol in TOLERANCES:
        runs = [problem["torchdiffeq"][tol] for problem in problems]
        mean = np.mean([np.log10(run["error"]) for run in runs])
        print(f"{tol}: {sum(run['evals'] for run in runs)} evaluations, geometric mean of the errors 10^{mean:.3f}")
    versions = ", ".join(f"{name} {version(name)}" for name in ("torchdiffeq", "torch", "scipy"))
    about = f"Made by make.py, which says how, with {versions}."
    text = json.dumps({"about": about, "problems": problems}, indent=1)
    Path(__file__).with_name("problems.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

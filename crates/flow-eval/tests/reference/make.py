"""Scores of small sets by independent libraries, written to scores.json beside this script.

    python -m venv /tmp/reference && . /tmp/reference/bin/activate
    pip install numpy scipy scikit-learn scikit-image POT prdc
    python make.py
"""

import json
import pathlib
from importlib.metadata import version

import numpy as np
import ot
from prdc import compute_prdc
from scipy import linalg, special, stats
from scipy.spatial.distance import cdist, pdist
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.neighbors import KernelDensity

rng = np.random.default_rng(2026)
DIGITS = 6  # decimals of the inputs, so that the file is short; read back as f32


def numbers(*shape, loc=0.0, scale=1.0):
    """Normal numbers that JSON and f32 hold exactly."""
    return np.round(rng.normal(loc, scale, shape), DIGITS).astype(np.float32).astype(np.float64)


def rows(points):
    """All numbers in a row, with as many digits as f32 needs."""
    return [float(str(x)) for x in points.astype(np.float32).ravel()]


def u_statistic(kernel, a, b):
    def within(x):
        k = kernel(x, x)
        return (k.sum() - np.trace(k)) / (len(x) * (len(x) - 1))

    return within(a) + within(b) - 2 * kernel(a, b).mean()


def frechet(a, b):
    s1, s2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(s1 @ s2)
    shift = a.mean(0) - b.mean(0)
    return float(shift @ shift + np.trace(s1 + s2 - 2 * root).real)


a, b = numbers(40, 3), numbers(55, 3, loc=0.3, scale=1.2)
paired = numbers(40, 3, loc=0.5)
directions = rng.normal(size=(3, 16))
directions /= np.linalg.norm(directions, axis=0)
bandwidths = [0.5, 1.0, 2.0]

biased = 2 * cdist(a[:, :1], b[:, :1]).mean()
biased -= cdist(a[:, :1], a[:, :1]).mean() + cdist(b[:, :1], b[:, :1]).mean()
assert np.isclose(stats.energy_distance(a[:, 0], b[:, 0]) ** 2, biased)

mixing = rng.normal(size=(24, 24)) / 5
wide_a, wide_b = numbers(60, 24) @ mixing, numbers(60, 24, loc=0.1)
wide_a = np.round(wide_a, DIGITS).astype(np.float32).astype(np.float64)
covariance = np.cov(wide_a, rowvar=False)

prdc = compute_prdc(a, b, nearest_k=5)

probabilities = special.softmax(numbers(30, 4), axis=1).astype(np.float32).astype(np.float64)
normalised = probabilities / probabilities.sum(1, keepdims=True)
inception = np.exp(np.mean([stats.entropy(p, normalised.mean(0)) for p in normalised]))

image = np.tanh(numbers(2, 14, 17)).astype(np.float32)
noisy = np.tanh(image + numbers(2, 14, 17, scale=0.3)).astype(np.float32)
image64, noisy64 = image.astype(np.float64), noisy.astype(np.float64)
ssim = structural_similarity(
    image64,
    noisy64,
    data_range=2.0,
    channel_axis=0,
    gaussian_weights=True,
    sigma=1.5,
    use_sample_covariance=False,
)

parzen = KernelDensity(bandwidth=0.4).fit(a).score_samples(b).mean()

libraries = ["numpy", "scipy", "scikit-learn", "scikit-image", "POT", "prdc"]
scores = {
    "versions": {name: version(name) for name in libraries},
    "a": rows(a),
    "b": rows(b),
    "paired": rows(paired),
    "directions": directions.T.tolist(),
    "bandwidths": bandwidths,
    "wasserstein_1": stats.wasserstein_distance(a[:, 0], b[:, 0]),
    "wasserstein_2": float(np.sqrt(ot.emd2_1d(a[:, 0], b[:, 0], metric="sqeuclidean"))),
    "sliced": float(ot.sliced_wasserstein_distance(a, b, projections=directions, p=2)),
    "max_sliced": float(ot.max_sliced_wasserstein_distance(a, b, projections=directions, p=2)),
    "assignment": float(np.sqrt(ot.emd2([], [], cdist(a, paired, "sqeuclidean")))),
    "energy": float(2 * cdist(a, b).mean() - pdist(a).mean() - pdist(b).mean()),
    "mmd_gaussian": float(
        np.mean(
            [
                u_statistic(lambda x, y, s=s: rbf_kernel(x, y, gamma=0.5 / s**2), a, b)
                for s in bandwidths
            ]
        )
    ),
    "mmd_cubic": float(u_statistic(lambda x, y: polynomial_kernel(x, y, degree=3, coef0=1), a, b)),
    "frechet": frechet(a, b),
    "wide_a": rows(wide_a),
    "wide_b": rows(wide_b),
    "wide_frechet": frechet(wide_a, wide_b),
    "wide_covariance": covariance.ravel().tolist(),
    "wide_root": linalg.sqrtm(covariance).real.ravel().tolist(),
    "precision": prdc["precision"],
    "recall": prdc["recall"],
    "density": float(prdc["density"]),
    "coverage": float(prdc["coverage"]),
    "probabilities": rows(probabilities),
    "inception": float(inception),
    "image": rows(image),
    "noisy": rows(noisy),
    "psnr": float(peak_signal_noise_ratio(image64, noisy64, data_range=2.0)),
    "ssim": float(ssim),
    "parzen": float(parzen),
}
path = pathlib.Path(__file__).with_name("scores.json")
path.write_text(json.dumps(scores, separators=(",", ":")).replace(',"', ',\n"') + "\n")

"""Does an independent classifier agree with the classes that were asked for?

Trains a support vector machine of scikit-learn on real images alone and applies it to generated
ones. It shares nothing with this project but the data.

    flow sample RUN -n 1000 --out samples.npy
    python benches/peers/classify.py digits samples.npy
    python benches/peers/classify.py mnist samples.npy --data-dir DIR

Needs: pip install numpy scikit-learn
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.svm import SVC


def idx(path):
    with gzip.open(path) as file:
        data = file.read()
    ndim = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(ndim)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def real(name, data_dir):
    """Images in [-1, 1] as rows, and labels: to train with and to test with."""
    if name == "digits":
        digits = load_digits()
        x, y = digits.data / 8.0 - 1.0, digits.target
        # The project's split: of each class, in the order of the file, every sixth image is for testing.
        place = np.array([(y[: i + 1] == c).sum() for i, c in enumerate(y)])
        test = place % 6 == 0
        return x[~test], y[~test], x[test], y[test]
    folder = data_dir / name if (data_dir / name).is_dir() else data_dir
    parts = []
    for split in ("train", "t10k"):
        images = idx(folder / f"{split}-images-idx3-ubyte.gz")
        labels = idx(folder / f"{split}-labels-idx1-ubyte.gz")
        parts += [images.reshape(len(images), -1) / 127.5 - 1.0, labels]
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=["digits", "mnist", "fashion-mnist"])
    parser.add_argument("samples", type=Path, help="samples.npy, with samples.labels.npy beside it")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--train", type=int, default=20_000, help="real images to train with")
    args = parser.parse_args()

    x, y, x_test, y_test = real(args.data, args.data_dir)
    chosen = np.random.default_rng(0).permutation(len(x))[: args.train]
    classifier = SVC(C=10.0, gamma="scale").fit(x[chosen], y[chosen])
    accuracy = classifier.score(x_test[:2000], y_test[:2000])

    samples = np.load(args.samples)
    asked = np.load(args.samples.with_suffix(".labels.npy"))
    samples = np.clip(samples.reshape(len(samples), -1), -1.0, 1.0)
    agree = classifier.predict(samples) == asked
    error = np.sqrt(agree.mean() * (1 - agree.mean()) / len(agree))
    print(f"scikit-learn {sklearn.__version__} SVC, trained on {len(chosen)} real images")
    print(f"accuracy on real test images: {accuracy:.4f}")
    print(f"agreement on {len(agree)} generated images: {agree.mean():.4f} +- {error:.4f}")
    for c in range(10):
        print(f"  class {c}: {agree[asked == c].mean():.3f}")


if __name__ == "__main__":
    main()

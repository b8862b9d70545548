"""Sample and score flow-matching models that flow has trained.

>>> import flowmatching as fm
>>> model = fm.open("m.flow")
>>> x = model.sample(1000, seed=1, steps=8)
>>> log_p = model.log_prob(x)
"""

from __future__ import annotations

import os
from typing import Optional, Sequence, Union

import numpy as np

from . import _flowmatching
from ._flowmatching import __version__

__all__ = ["Model", "open", "__version__"]

Labels = Union[int, Sequence[int], np.ndarray]


def open(path: Union[str, "os.PathLike[str]"]) -> "Model":
    """Open a model that `flow export` wrote: a file `NAME.flow`, or a folder.

    Raises OSError if it cannot be read and ValueError if it is no model.
    """
    return Model(_flowmatching.open(os.fspath(path)))


class Model:
    """A trained model. It is never changed, so threads may share it."""

    def __init__(self, inner: _flowmatching.Model) -> None:
        self._inner = inner

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self._inner.shape)

    @property
    def classes(self) -> int:
        """Number of classes, 0 for none."""
        return self._inner.classes

    @property
    def class_names(self) -> list[str]:
        """What the classes are called, if anybody said."""
        return self._inner.class_names

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return self._inner.parameters

    @property
    def description(self) -> str:
        """The text of `model.toml`."""
        return self._inner.description

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Write the model: one file for a name that ends in `.flow`, else a folder."""
        self._inner.save(os.fspath(path))

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        steps: Optional[int] = None,
        solver: Optional[str] = None,
        sampler: Optional[str] = None,
        classes: Optional[Labels] = None,
        given: Optional[np.ndarray] = None,
        context: Optional[np.ndarray] = None,
        guidance: Optional[float] = None,
        starts: Optional[np.ndarray] = None,
        batch: int = 500,
    ) -> np.ndarray:
        """Draw samples `0..n` of a seed, `[n, *shape]`, float32.

        Sample i of a seed is the same whatever n. `classes` is one class or one for each sample;
        without it all classes come in turn. `given` is a condition vector, or one for each sample.
        `solver`, `sampler` and `steps` are those of `flow sample`; without them the model's own.
        """
        flat, _ = self._inner.sample(
            n,
            seed,
            batch,
            steps,
            solver,
            sampler,
            _labels(classes, n),
            _rows(given, n, self._inner.vector),
            _rows(context, n, None),
            guidance,
            _rows(starts, n, None),
        )
        return flat.reshape((n, *self.shape))

    def log_prob(
        self,
        x: np.ndarray,
        *,
        classes: Optional[Labels] = None,
        given: Optional[np.ndarray] = None,
        context: Optional[np.ndarray] = None,
        rtol: float = 1e-5,
        atol: float = 1e-5,
        probes: Optional[int] = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Log-densities of rows `[n, *shape]`, in nats, float64 `[n]`.

        Without `probes` the divergence is exact, at the price of a pass for each dimension.
        """
        x = self._checked(x)
        n = len(x)
        return self._inner.log_prob(
            x.reshape(-1),
            _labels(classes, n),
            _rows(given, n, self._inner.vector),
            _rows(context, n, None),
            rtol,
            atol,
            probes,
            seed,
        )

    def velocity(
        self,
        x: np.ndarray,
        t: float,
        *,
        classes: Optional[Labels] = None,
        given: Optional[np.ndarray] = None,
    ) -> np.ndarray:
        """The velocity dx/dt at rows `[n, *shape]` and one time from noise (0) to data (1)."""
        x = self._checked(x)
        n = len(x)
        flat = self._inner.velocity(
            x.reshape(-1), t, _labels(classes, n), _rows(given, n, self._inner.vector)
        )
        return flat.reshape(x.shape)

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(x, dtype=np.float32)
        if x.shape[1:] != self.shape:
            raise ValueError(f"expected rows of shape {self.shape}, got {x.shape[1:]}")
        return x

    def __repr__(self) -> str:
        return repr(self._inner)


def _labels(classes: Optional[Labels], n: int) -> Optional[np.ndarray]:
    if classes is None:
        return None
    classes = np.asarray(classes, dtype=np.int64)
    return np.ascontiguousarray(np.broadcast_to(classes, (n,)))


def _rows(rows: Optional[np.ndarray], n: int, size: Optional[int]) -> Optional[np.ndarray]:
    if rows is None:
        return None
    rows = np.asarray(rows, dtype=np.float32)
    if size is not None and rows.ndim <= 1:
        rows = np.broadcast_to(rows, (n, size))
    return np.ascontiguousarray(rows).reshape(-1)

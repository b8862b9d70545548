"""Sample and score flow-matching models that flow has trained.

>>> import flowmatching as fm
>>> model = fm.open("m.flow")
>>> x = model.sample(1000, seed=1, steps=8)
>>> log_p = model.log_prob(x)

A model of a table draws pandas frames and is told its given columns by name:

>>> people = fm.open("people.flow").sample(100, given={"clinic": "B", "age": 40})
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from . import _flowmatching
from ._flowmatching import __version__
from ._table import cells, frame

if TYPE_CHECKING:
    import pandas

    Given = Union[np.ndarray, Sequence[float], Mapping[str, Any], pandas.DataFrame]
    Rows = Union[np.ndarray, pandas.DataFrame]

__all__ = ["Model", "open", "__version__"]

Labels = Union[int, Sequence[int], np.ndarray]


def open(path: Union[str, "os.PathLike[str]"]) -> "Model":
    """Open a model that `flow export` or `flow import` wrote: a file `NAME.flow`, or a folder.

    Raises OSError if it cannot be read and ValueError if it is no model.
    """
    return Model(_flowmatching.open(os.fspath(path)))


class Model:
    """A trained model. It is never changed, so threads may share it."""

    def __init__(self, inner: _flowmatching.Model) -> None:
        self._inner = inner

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, as the network sees it."""
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
    def columns(self) -> Optional[list[str]]:
        """Names of the columns, of a model of a table."""
        return self._inner.columns

    @property
    def given(self) -> list[str]:
        """Names of the columns that the model is told: of a table, or beside arrays and images."""
        return self._inner.given

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
        given: Optional[Given] = None,
        context: Optional[np.ndarray] = None,
        guidance: Optional[float] = None,
        starts: Optional[np.ndarray] = None,
        batch: int = 500,
        raw: bool = False,
    ) -> Rows:
        """Draw samples `0..n` of a seed: `[n, *shape]`, float32, or a pandas frame of a table.

        Sample i of a seed is the same whatever n. `classes` is one class or one for each sample;
        without it all classes come in turn. `given` is a condition vector or one for each sample;
        of a model that is told columns, their values by name, or a frame with a row for each
        sample, in turn. `solver`, `sampler` and `steps` are those of `flow sample`; without them
        the model's own. `raw` gives the numbers of the network in place of a frame.
        """
        told, vectors = self._told(given, n)
        flat = self._inner.sample(
            n,
            seed,
            batch,
            steps,
            solver,
            sampler,
            _labels(classes, n),
            vectors,
            _flat(context, n, self._inner.context),
            guidance,
            _flat(starts, n, self._inner.shape),
        )
        if self.columns is None or raw:
            return flat.reshape((n, *self.shape))
        return frame(self._inner.decode(flat, told))

    def starts(self, n: int, *, seed: int = 0) -> np.ndarray:
        """Where samples `0..n` of a seed start, `[n, *shape]`: noise for files of ONNX, say."""
        return self._inner.starts(n, seed).reshape((n, *self.shape))

    def log_prob(
        self,
        x: Rows,
        *,
        classes: Optional[Labels] = None,
        given: Optional[Given] = None,
        context: Optional[np.ndarray] = None,
        rtol: float = 1e-5,
        atol: float = 1e-5,
        probes: Optional[int] = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Log-densities of rows `[n, *shape]`, in nats, float64 `[n]`.

        Of a frame they are per unit of its columns, as of `flow likelihood`, and its given columns
        are read from it unless `given` says them. Without `probes` the divergence is exact, at the
        price of a pass for each dimension.
        """
        slopes = None
        if _is_table(x):
            given = x if given is None and self.given else given
            flat, slopes = self._inner.encode(cells(x, len(x)))
            x = flat.reshape((-1, *self.shape))
        x = self._checked(x)
        n = len(x)
        nats = self._inner.log_prob(
            x.reshape(-1),
            _labels(classes, n),
            self._told(given, n)[1],
            _flat(context, n, self._inner.context),
            rtol,
            atol,
            probes,
            seed,
        )
        return nats if slopes is None else nats + slopes

    def velocity(
        self,
        x: np.ndarray,
        t: float,
        *,
        classes: Optional[Labels] = None,
        given: Optional[Given] = None,
        context: Optional[np.ndarray] = None,
    ) -> np.ndarray:
        """The velocity dx/dt at rows `[n, *shape]` and one time from noise (0) to data (1).

        Without `classes` it is that of the null class, of a model of classes.
        """
        x = self._checked(x)
        n = len(x)
        flat = self._inner.velocity(
            x.reshape(-1),
            t,
            _labels(classes, n),
            self._told(given, n)[1],
            _flat(context, n, self._inner.context),
        )
        return flat.reshape(x.shape)

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(x, dtype=np.float32)
        if x.shape[1:] != self.shape:
            raise ValueError(f"expected rows of shape {self.shape}, got {x.shape[1:]}")
        return x

    def _told(self, given: Optional[Given], n: int):
        """The given columns of `n` rows, and their condition vectors."""
        columns = self.given
        # Of arrays the vectors themselves may be given too.
        by_name = columns and (self.columns is not None or given is None or _is_table(given))
        if not by_name and (self.columns is None or given is None):
            return None, _flat(given, n, [self._inner.vector])
        known = ", ".join(columns) or "no column"
        if not _is_table(given):
            raise ValueError(f"the model is told {known}: give values by name, or a frame")
        others = [str(name) for name in given.keys() if name not in columns]
        # A frame may have columns besides, as that of the training has.
        if len(others) == len(given.keys()) or (others and isinstance(given, Mapping)):
            raise ValueError(f"the model is told {known}, not {', '.join(others) or 'nothing'}")
        told = cells({name: given[name] for name in columns if name in given.keys()}, n)
        return told, self._inner.conditions(told)

    def __repr__(self) -> str:
        return repr(self._inner)


def _is_table(rows: Any) -> bool:
    """Whether something has named columns: a mapping or a frame."""
    return hasattr(rows, "keys")


def _labels(classes: Optional[Labels], n: int) -> Optional[np.ndarray]:
    if classes is None:
        return None
    classes = np.asarray(classes, dtype=np.int64)
    return np.ascontiguousarray(np.broadcast_to(classes, (n,)))


def _flat(rows: Optional[np.ndarray], n: int, shape: Sequence[int]) -> Optional[np.ndarray]:
    """`n` rows of a shape, flat; one row alone holds for all of them."""
    if rows is None:
        return None
    rows, shape = np.asarray(rows, dtype=np.float32), tuple(shape)
    if rows.shape == shape or rows.ndim == 0:
        rows = np.broadcast_to(rows, (n, *shape))
    return np.ascontiguousarray(rows).reshape(-1)

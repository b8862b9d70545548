from os import PathLike
from typing import Optional, Union

import numpy as np
from numpy.typing import NDArray

Cells = list[tuple[str, list[Optional[str]]]]
Values = Union[NDArray[np.float64], list[Optional[str]]]

__version__: str

class Model:
    shape: list[int]
    classes: int
    class_names: list[str]
    vector: int
    context: list[int]
    parameters: int
    description: str
    columns: Optional[list[str]]
    given: list[str]

    def save(self, path: Union[str, PathLike[str]]) -> None: ...
    def sample(
        self,
        n: int,
        seed: int,
        batch: int,
        steps: Optional[int],
        solver: Optional[str],
        sampler: Optional[str],
        classes: Optional[NDArray[np.int64]],
        vectors: Optional[NDArray[np.float32]],
        contexts: Optional[NDArray[np.float32]],
        guidance: Optional[float],
        starts: Optional[NDArray[np.float32]],
    ) -> NDArray[np.float32]: ...
    def starts(self, n: int, seed: int) -> NDArray[np.float32]: ...
    def log_prob(
        self,
        rows: NDArray[np.float32],
        classes: Optional[NDArray[np.int64]],
        vectors: Optional[NDArray[np.float32]],
        contexts: Optional[NDArray[np.float32]],
        rtol: float,
        atol: float,
        probes: Optional[int],
        seed: int,
    ) -> NDArray[np.float64]: ...
    def velocity(
        self,
        rows: NDArray[np.float32],
        t: float,
        classes: Optional[NDArray[np.int64]],
        vectors: Optional[NDArray[np.float32]],
        contexts: Optional[NDArray[np.float32]],
    ) -> NDArray[np.float32]: ...
    def encode(self, cells: Cells) -> tuple[NDArray[np.float32], NDArray[np.float64]]: ...
    def conditions(self, cells: Cells) -> NDArray[np.float32]: ...
    def decode(
        self, rows: NDArray[np.float32], given: Optional[Cells]
    ) -> list[tuple[str, str, Values]]: ...

def open(path: Union[str, PathLike[str]]) -> Model: ...

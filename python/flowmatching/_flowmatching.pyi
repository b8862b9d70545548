from typing import Optional

import numpy as np
from numpy.typing import NDArray

__version__: str

class Model:
    shape: list[int]
    classes: int
    class_names: list[str]
    vector: int
    parameters: int
    description: str
    def save(self, path: str) -> None: ...
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
    ) -> tuple[NDArray[np.float32], float]: ...
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
    ) -> NDArray[np.float32]: ...

def open(path: str) -> Model: ...

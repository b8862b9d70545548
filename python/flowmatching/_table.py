"""Frames of pandas as columns of cells, and back. pandas is imported where a frame is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import numpy as np


def cells(table: Any, n: int) -> list[tuple[str, list[Optional[str]]]]:
    """The columns of a mapping or a frame as texts, `n` of each; fewer come in turn."""
    columns = []
    for name in table.keys():
        column = table[name]
        alone = isinstance(column, (str, bytes)) or np.ndim(column) == 0
        values = [column] if alone else list(column)
        if not values:
            raise ValueError(f"the column {name} has no value")
        texts = [_cell(value) for value in values]
        columns.append((str(name), [texts[i % len(texts)] for i in range(n)]))
    return columns


def _cell(value: Any) -> Optional[str]:
    """A value as a table has it, None where it is missing."""
    if value is None or value != value or type(value).__name__ == "NAType":
        return None
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    return str(value)


def frame(columns: list[tuple[str, str, Any]]) -> Any:
    """Columns as a frame, each of the type that it had in the training table."""
    try:
        import pandas
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "samples of a table are frames of pandas: pip install pandas, or ask for raw=True"
        ) from None
    return pandas.DataFrame({name: _typed(kind, values) for name, kind, values in columns})


def _typed(kind: str, values: Any) -> Any:
    whole = {"bool": np.bool_, "integer": np.int64}
    # Whole numbers and truth values have no way to be missing.
    if kind in whole and not np.isnan(values).any():
        return values.astype(whole[kind])
    return values.astype(np.float32) if kind == "single" else values

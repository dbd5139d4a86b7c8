"""From text to numbers."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError
from data_pipeline.source import DataSource

# Spellings of "no value", compared in lower case.
EMPTY: Final = frozenset({"", "nan", "na", "n/a", "null", "none"})
LARGEST: Final = 1e15


def read_numbers(cells: pd.DataFrame, source: DataSource) -> NDArray[np.float64]:
    """Reads the number columns.

    Args:
        cells: Text, indexed by file line; at least the columns of `source.value_columns`.
        source: The columns: covariates, then the target.

    Returns:
        float64 (n, c + 1); NaN where a cell is empty.

    Raises:
        DataError: If a cell is text, infinite or beyond +-1e15.
    """
    columns = [_read_column(cells[name], source) for name in source.value_columns]
    return np.column_stack(columns)


def _read_column(cells: "pd.Series[str]", source: DataSource) -> NDArray[np.float64]:
    values = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    unread = cells[np.isnan(values)].str.strip()
    text = unread[~unread.str.lower().isin(EMPTY)]
    if not text.empty:
        raise DataError(
            f"{source.file}: line {text.index[0]}, column {cells.name!r}: expected a number, found "
            f"{places.quoted(text.iloc[0])}; {len(text)} such cells. Remove thousands separators "
            f"and units, write decimals with a point, or choose another column by --target or "
            f"--features."
        )
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(
            f"{source.file}: column {cells.name!r}: expected finite numbers, found {infinite.sum()}"
            f" infinite in {places.lines(cells.index.to_numpy(np.int64)[infinite])}. Correct them, "
            f"or empty the cells and give --gaps interpolate."
        )
    huge = np.abs(values) > LARGEST
    if huge.any():
        at = int(np.argmax(huge))
        raise DataError(
            f"{source.file}: line {cells.index[at]}, column {cells.name!r}: expected numbers within"
            f" +-{LARGEST:g}, found {values[at]:g}; {huge.sum()} such cells. Correct them."
        )
    return values

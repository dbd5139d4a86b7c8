"""Columns beside the numbers that say what a row means: its quality, direction or unit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline.direction import need_one_direction
from data_pipeline.quality import read_quality
from data_pipeline.source import DataSource
from data_pipeline.unit_columns import to_one_unit
from data_pipeline.words import columns_of_words

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beside:
    """What the columns beside the numbers said.

    Attributes:
        usage: float64 (n,), the target in one unit; NaN in rows that are marked as missing.
        unit: Of the target; "" if no column names it, or several name different ones.
        notes: What was changed, one sentence each.
        found: What was found and changes nothing, one sentence each.
        warnings: What looks wrong but was kept.
    """

    usage: Floats
    unit: str
    notes: tuple[str, ...]
    found: tuple[str, ...]
    warnings: tuple[str, ...]


def read_beside(
    usage: Floats, others: pd.DataFrame, instants: pd.DatetimeIndex, source: DataSource
) -> Beside:
    """Applies what columns of words say of each row.

    Args:
        usage: float64 (n,), the target; NaN if a cell is empty.
        others: n rows of the columns that were not asked for, by file line.
        instants: Of the n rows.
        source: The reading rules.

    Raises:
        DataError: If the rows have two meanings, and no option says which one is wanted.
    """
    columns = columns_of_words(others)
    lines = others.index.to_numpy(np.int64)
    unit = to_one_unit(usage, columns, lines, source)
    if source.edition == 1:
        return Beside(unit.usage, unit.unit, unit.notes, (), unit.warnings)
    quality = read_quality(unit.usage, columns, lines, source)
    need_one_direction(quality.usage, columns, instants, source)
    return Beside(
        quality.usage,
        unit.unit,
        (*unit.notes, *quality.notes),
        quality.found,
        (*unit.warnings, *quality.warnings),
    )

"""Tables whose times run across: a row per variable, a column per time. They are turned."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from data_pipeline.time_text import ORDERS, read_cells

# So many columns must be called by a time, and so much of all of them.
ACROSS: Final = 23
_MOSTLY: Final = 0.8
_DATED: Final = re.compile(r"\d[-/. 년]+\w{1,9}[-/.,월 ]+\d|^\d{8}")


def is_across(names: Sequence[str]) -> bool:
    """True if the columns of a table are times, or days.

    Args:
        names: Of all columns.
    """
    # Few cells look like a date at all.
    if sum(_DATED.search(name) is not None for name in names[: 2 * ACROSS]) < ACROSS - 1:
        return False
    read = read_cells(pd.Series([name.strip() for name in names], dtype="str")).read
    count = max(int(read[order].sum()) for order in ORDERS)
    return count >= max(ACROSS, _MOSTLY * len(names))


def turn(
    names: Sequence[str], cells: pd.DataFrame
) -> tuple[tuple[str, ...], pd.DataFrame, tuple[str, ...]]:
    """Makes a row per time of a column per time.

    Args:
        names: Of all columns; the first holds the names of the variables.
        cells: Columns numbered from 0, a row per variable.

    Returns:
        Column names; cells, whose index holds the file's columns, numbered from 1; and a note.
    """
    variables = cells[0].astype("str").str.strip().tolist()
    columns = [pd.Series(list(names[1:]), dtype="str")]
    columns += [pd.Series(row, dtype="str") for row in cells.iloc[:, 1:].to_numpy(object)]
    turned = pd.concat(columns, axis=1, keys=range(len(columns)))
    turned.index = pd.Index(np.arange(2, len(names) + 1))
    turned = turned[(turned != "").any(axis=1).to_numpy()]
    note = (
        f"times run across {len(turned)} columns, {len(variables)} rows hold the variables: the "
        f"table was turned, and its lines are the file's columns"
    )
    return (names[0], *variables), turned, (note,)

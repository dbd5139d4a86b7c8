"""How errors and warnings name places in a file."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHOWN: Final = 5


def some(items: Sequence[object], count: int) -> str:
    """The first few of `count` items, and how many more there are: "3, 9, 12 and 40 more"."""
    shown = ", ".join(str(item) for item in items[:SHOWN])
    rest = count - SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def lines(numbers: NDArray[np.int64]) -> str:
    """File lines, the header being line 1: "line 7", "lines 3, 9 and 2 more"."""
    return f"line{'s' if len(numbers) > 1 else ''} {some(numbers[:SHOWN].tolist(), len(numbers))}"


def clock(time: pd.Timestamp) -> str:
    """A local clock time, such as "2014-04-01 05:00"; with seconds if they are not 0."""
    return time.strftime("%Y-%m-%d %H:%M:%S" if time.second else "%Y-%m-%d %H:%M")


def quoted(value: str) -> str:
    """A cell as found in the file, cut to a readable length."""
    return repr(value if len(value) <= 60 else f"{value[:57]}...")


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs of True as (first, last + 1) positions, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]

"""Columns of few different words, which may say what a row means."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Columns that are looked at, and the most different cells that such a column has.
_COLUMNS: Final = 40
_KINDS: Final = 20
_SAMPLE: Final = 200


@dataclass(frozen=True, eq=False)
class Words:
    """A column of few different words.

    Attributes:
        name: Of the column.
        kinds: Its different cells, without blanks at the ends.
        codes: int64 (n,), the place of each row's cell in `kinds`.
    """

    name: str
    kinds: tuple[str, ...]
    codes: NDArray[np.int64]

    def rows(self, *kinds: str) -> NDArray[np.bool_]:
        """Rows with one of these cells, bool (n,)."""
        return np.isin(self.codes, [at for at, one in enumerate(self.kinds) if one in kinds])


def columns_of_words(others: pd.DataFrame) -> list[Words]:
    """The columns that hold few different cells.

    Args:
        others: n rows of the columns that were not asked for.
    """
    found = []
    for at in range(min(others.shape[1], _COLUMNS)):
        cells = others.iloc[:, at]
        if pd.api.types.is_bool_dtype(cells.dtype):
            cells = cells.astype("str")
        if not isinstance(cells.dtype, pd.StringDtype) or cells.head(_SAMPLE).nunique() > _KINDS:
            continue
        codes, kinds = pd.factorize(cells)
        if 1 <= len(kinds) <= _KINDS:
            plain = tuple(str(one).strip() for one in kinds)
            found.append(Words(str(others.columns[at]), plain, np.asarray(codes, np.int64)))
    return found

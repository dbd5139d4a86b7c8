"""Columns that say in which direction energy flows. Rows of both directions are two series."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.errors import DataError, Way
from data_pipeline.source import DataSource
from data_pipeline.words import Words

# What a meter counts in one direction, and in the other.
_PAIRS: Final = tuple(
    (re.compile(one, re.IGNORECASE), re.compile(other, re.IGNORECASE))
    for one, other in (
        (r"import", r"export"),
        (r"deliver", r"receive|return"),
        (r"suppl|demand", r"feed|surplus"),
        (r"^\+$", r"^[-\u2212]$"),
        (r"(?:^|:)1\.\d", r"(?:^|:)2\.\d"),
        (r"consum|usage|used|load", r"generat|produc|feed[ _-]?in|returned"),
        (r"bezug|verbrauch|entnahme", r"einspeis|liefer|erzeug"),
        (r"soutir|consomm", r"inject|product"),
        (r"afname|levering", r"teruglever|invoed"),
        (r"consumo", r"generaci|produzion|immiss|vertid|exceden"),
        (r"bought|buy|purchas", r"sold|sell"),
        (r"from[ _-]?(?:the )?grid|grid to", r"to[ _-]?(?:the )?grid"),
        (r"(?<!dis)charg", r"discharg"),
        (r"inflow", r"outflow"),
        (r"^in$", r"^out$"),
        (r"^a\+$|\+a$", r"^a-$|-a$"),
        (r"수전|사용|소비", r"역송|송전|발전|잉여"),
    )
)
_LISTED: Final = 6


def need_one_direction(
    usage: NDArray[np.float64],
    columns: Sequence[Words],
    instants: pd.DatetimeIndex,
    source: DataSource,
) -> None:
    """Refuses rows of two directions whose values are all positive.

    Rows of one time that differ are left to `data_pipeline.repeats`, which lists such a column.

    Args:
        usage: float64 (n,), the target.
        columns: Of words, beside the numbers.
        instants: Of the n rows.
        source: `--where`, `--duplicates`, and names for messages.

    Raises:
        DataError: With `--where` for each direction as ways.
    """
    asked = {one.split("=", 1)[0] for one in source.where}
    for column in columns:
        kinds = _directions(column)
        if not kinds or column.name in asked:
            continue
        held = [column.rows(kind) for kind in kinds]
        if any((usage[at] < 0).any() for at in held) or not all(
            (usage[at] > 0).any() for at in held
        ):
            continue
        if source.duplicates is None and not instants.is_unique:
            return
        counts = ", ".join(
            f"{places.quoted(kind)} in {int(at.sum())} rows"
            for kind, at in zip(kinds, held, strict=True)
        )
        each = [f"{column.name}={kind}" for kind in kinds]
        raise DataError(
            f"{source.file}: column {column.name!r} tells the direction: {counts}. "
            f"{source.target!r} is never negative, so these are two series and no balance.",
            [
                *(Way({"where": (*source.where, one)}) for one in each[:_LISTED]),
                Way({"where": (*source.where, *each)}, "all rows, as if of one direction"),
            ],
        )


def _directions(column: Words) -> list[str]:
    """The cells of a column that name directions, if both of a pair are among them."""
    for one, other in _PAIRS:
        there = [kind for kind in column.kinds if one.search(kind) and not other.search(kind)]
        back = [kind for kind in column.kinds if other.search(kind)]
        if there and back:
            return [*there, *back]
    return []

"""Proposes columns if the file does not hold the names asked for."""

from collections.abc import Sequence

import pandas as pd

from data_pipeline.columns import position
from data_pipeline.errors import Way
from data_pipeline.source import DataSource
from data_pipeline.time_text import ORDERS, read_cells
from data_pipeline.wide import find_slots

_SAMPLE = 60
_TARGETS = 4
_NUMBER = r"[+\-\u2212]?[0-9][0-9.,' ]*(?:[eE][+-]?[0-9]+)?(?: ?[kMG]?Wh?)?"


def propose(names: Sequence[str], cells: pd.DataFrame, source: DataSource) -> list[Way]:
    """Proposes ways to map the columns: time columns, and each column of numbers as the target.

    Args:
        names: All column names, "" if there is none.
        cells: Columns numbered from 0.
        source: The names asked for. Names that the file holds are kept.
    """
    sample = cells.iloc[3 : 3 + _SAMPLE]
    if sample.empty:
        sample = cells.head(_SAMPLE)
    called = [name or str(at) for at, name in enumerate(names, 1)]
    clear = [at for at, name in enumerate(names) if not name or list(names).count(name) == 1]
    text = {at: sample[at].astype("str").str.strip() for at in clear}
    times = _times(text, called)
    if all(position(name, names) is not None for name in source.time):
        times = source.time
    if not times:
        return []
    changes: dict[str, object] = {} if times == source.time else {"time": times}
    if find_slots(names) is not None:
        return [Way({**changes, "features": ()})]
    kept = tuple(name for name in source.features if position(name, names) is not None)
    if kept != source.features:
        changes["features"] = kept
    if position(source.target, names) is not None:
        return [Way(changes)] if changes else []
    taken = {position(name, names) for name in (*times, *kept)}
    numbers = [
        at
        for at, column in text.items()
        if at not in taken and column.str.fullmatch(_NUMBER).mean() > 0.5
    ]
    return [Way({**changes, "target": called[at]}) for at in numbers[::-1][:_TARGETS]]


def _times(text: "dict[int, pd.Series[str]]", called: Sequence[str]) -> tuple[str, ...]:
    """The column that holds the times, or the columns of date and hour."""
    for at, column in text.items():
        read = read_cells(column)
        fits = max(read.read[order].mean() for order in ORDERS)
        if fits < 0.5:
            continue
        if read.dated.mean() < 0.5:
            return (called[at],)
        beside = text.get(at + 1)
        if beside is not None:
            both = read_cells(column + " " + beside)
            if max(both.read[order].mean() for order in ORDERS) > 0.5:
                return called[at], called[at + 1]
        return (called[at],)
    first = next(iter(text.values()), None)
    if first is not None and first.str.fullmatch(r"\d{5}(\.\d+)?|\d{10}|\d{13}").mean() > 0.5:
        return (called[0],)
    return ()

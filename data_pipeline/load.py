"""One file in, one gapless hourly series and its report out."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_pipeline import places
from data_pipeline.anomalies import find_anomalies
from data_pipeline.errors import DataError
from data_pipeline.grid import Rows, fill_gaps, in_order, refuse_duplicates, to_hours
from data_pipeline.report import ColumnRange, DataReport
from data_pipeline.series import HOUR, HourlySeries
from data_pipeline.source import DataSource
from data_pipeline.table import read_table
from data_pipeline.times import read_times
from data_pipeline.values import read_numbers

DAY: Final = pd.Timedelta(days=1)


def load_series(source: DataSource) -> tuple[HourlySeries, DataReport]:
    """Loads one series: decode, read times, select, read numbers, sort, to hours, fill, warn.

    Rows outside `source.start` to `source.end` have only their times read; whatever else is wrong
    with them is no concern of the series. 1,000,000 rows of three columns load within 500 MB.

    Args:
        source: The file and the reading rules.

    Returns:
        The series and the account of what was found and repaired.

    Raises:
        DataError: On every fatal fault of the data.
    """
    table = read_table(source)
    times = read_times(table.cells[source.time], source)
    chosen = _in_period(times.local, source)
    cells = table.cells[chosen]
    rows = Rows(
        instants=times.instants[chosen],
        local=times.local[chosen],
        values=read_numbers(cells, source),
        lines=cells.index.to_numpy(np.int64),
    )
    rows, order_repairs = in_order(rows)
    refuse_duplicates(rows, source)
    rows, frequency, hour_repairs = to_hours(rows, source)
    rows, gaps, gap_repairs = fill_gaps(rows, source)
    series = HourlySeries(
        index=rows.instants,
        local=rows.local,
        target=rows.values[:, -1],
        covariates=rows.values[:, :-1],
        target_name=source.target,
        covariate_names=source.features,
        unit=source.unit,
        name=source.name,
    )
    report = DataReport(
        name=source.name,
        rows=len(rows),
        first=places.clock(rows.local[0]),
        last=places.clock(rows.local[-1]),
        frequency=frequency,
        encoding=table.encoding,
        separator=table.separator,
        gaps=gaps,
        duplicates=times.repeated,
        repairs=(*times.repairs, *order_repairs, *hour_repairs, *gap_repairs),
        ranges=tuple(
            ColumnRange(name, float(column.min()), float(column.max()))
            for name, column in zip(source.value_columns, rows.values.T, strict=True)
        ),
        warnings=(*_period_warnings(rows, source), *find_anomalies(rows, source)),
    )
    return series, report


def _in_period(local: pd.DatetimeIndex, source: DataSource) -> NDArray[np.bool_]:
    chosen = np.ones(len(local), np.bool_)
    if source.start is not None:
        chosen &= np.asarray(local >= pd.Timestamp(source.start))
    if source.end is not None:
        chosen &= np.asarray(local < pd.Timestamp(source.end) + DAY)
    if not chosen.any():
        raise DataError(
            f"{source.file}: expected rows from {source.start or 'the first day'} to "
            f"{source.end or 'the last day'}, found {places.clock(local.min())} to "
            f"{places.clock(local.max())}. Choose days within these."
        )
    return chosen


def _period_warnings(rows: Rows, source: DataSource) -> list[str]:
    first, last = rows.local[0], rows.local[-1]
    warnings = []
    if source.start is not None and first - pd.Timestamp(source.start) >= HOUR:
        warnings.append(f"asked from {source.start}, the data begins {places.clock(first)}")
    if source.end is not None and pd.Timestamp(source.end) + DAY - last > HOUR:
        warnings.append(f"asked to {source.end}, the data ends {places.clock(last)}")
    return warnings

"""From a series to scaled windows: split, scale, window; the test period stays shut."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from data_pipeline.errors import DataError
from data_pipeline.framing import Framing, Period
from data_pipeline.inputs import CHANGES, INDICATORS, Inputs, added_columns, input_rows
from data_pipeline.lengths import HOURS_A_WEEK
from data_pipeline.scaling import Scaler
from data_pipeline.series import HourlySeries

# A split of less than one day would judge some hours of the day and never others.
MINIMUM_WINDOWS: Final = 24


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one split, oldest first.

    x and y are read-only views into one small array: 1,000,000 windows of 168 hours would fill
    4 GB if they were copied. Copy them batch by batch, and do not pickle them: that copies too.

    Attributes:
        x: float32 (n, window, F), scaled.
        y: float32 (n, horizon), scaled target.
        origins: int64 (n,), row in the series of each window's first target.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    origins: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.x.ndim != 3 or self.y.ndim != 2 or self.origins.ndim != 1:
            raise ValueError(
                f"expected x (n, window, F), y (n, horizon) and origins (n,), "
                f"found {self.x.shape}, {self.y.shape} and {self.origins.shape}"
            )
        if not len(self.x) == len(self.y) == len(self.origins):
            raise ValueError(
                f"x, y and origins must have one length, "
                f"found {len(self.x)}, {len(self.y)} and {len(self.origins)}"
            )

    def __len__(self) -> int:
        return len(self.origins)


@dataclass(frozen=True, eq=False)
class Prepared:
    """The windows to learn from, those to be judged on, and what is needed to read them.

    Attributes:
        train: Windows to learn from.
        held_out: Windows of the period that follows; nothing is fitted to them.
        period: Which period that is: "validation" in a search, which stops and chooses by it;
            "test" once `open_test` has opened it.
        scaler: Fitted on the rows [0, train_rows), unless the framing says otherwise.
        target_range: Range of the target over the training rows, in its unit: a scaled error
            times this is in the unit, and the objective is measured by it whatever the scaler.
        columns: The F columns of x: covariates, target, then those of `inputs`.
        target_column: Position of the target in `columns`.
        history: The rows up to the end of `held_out`, and no others.
        train_rows: Number of rows before the first target of `held_out`.
    """

    train: Windows
    held_out: Windows
    period: Period
    scaler: Scaler
    target_range: float
    columns: tuple[str, ...]
    target_column: int
    history: HourlySeries
    train_rows: int


def check_length(rows: int, framing: Framing) -> None:
    """Checks that each split gets at least `MINIMUM_WINDOWS` windows.

    Args:
        rows: Hours in the series.
        framing: Window, horizon and shares.

    Raises:
        DataError: With the hours needed and found.
    """
    train, validation, test = _cut(rows, framing)
    fewest = min(len(train), len(validation), len(test))
    if fewest >= MINIMUM_WINDOWS:
        return
    raise DataError(
        f"too few rows: needed at least {_rows_needed(framing)} hours for --window "
        f"{framing.window}, --horizon {framing.horizon} and {MINIMUM_WINDOWS} windows in each "
        f"split, found {rows} hours (windows: train {len(train)}, validation {len(validation)}, "
        f"test {len(test)}). Give more data, or a smaller --window or --horizon."
    )


def split_origins(rows: int, framing: Framing) -> tuple[range, range, range]:
    """The rows of the first targets of the train, validation and test windows.

    Of N = rows - window - horizon + 1 windows, the boundaries are floor(N * train) and
    floor(N * (train + validation)). The last horizon - 1 windows of train and of validation are
    dropped: their targets would reach into those of the next split.

    Args:
        rows: Hours in the series.
        framing: Window, horizon and shares.

    Returns:
        Three ascending ranges of row numbers; no target of one lies in a later one.

    Raises:
        DataError: If the series is too short (`check_length`).
    """
    check_length(rows, framing)
    return _cut(rows, framing)


def prepare(series: HourlySeries, framing: Framing, inputs: Inputs = "cycles") -> Prepared:
    """Splits, scales and windows the training and validation periods.

    No value of the test period is read: the result is the same whatever stands there. Only
    `framing.scaler_rows` "all", which exists to show that slip, looks at its extremes.

    Args:
        series: The whole series.
        framing: Window, horizon and shares.
        inputs: The columns that x has beside the series' own; see `data_pipeline.inputs`. Windows,
            origins and targets are the same whatever they are.

    Returns:
        `held_out` holds the validation windows.

    Raises:
        DataError: If the series is too short.
    """
    train, validation, test = split_origins(len(series), framing)
    history = series.before(test.start)
    train_rows = validation.start
    rows = feature_rows(history, framing, inputs)
    columns = (*history.covariate_names, history.target_name, *added_columns(inputs))
    target_column = len(history.covariate_names)
    honest = scaler = _fit_scaler(history.before(train_rows), framing, inputs)
    if framing.scaler_rows == "all":
        scaler = _fit_scaler(series, framing, inputs)
    return Prepared(
        train=_cut_windows(rows[:train_rows], _latest(train, framing), framing, scaler),
        held_out=_cut_windows(rows, validation, framing, scaler),
        period="validation",
        scaler=scaler,
        target_range=float(honest.range[target_column]),
        columns=columns,
        target_column=target_column,
        history=history,
        train_rows=train_rows,
    )


def open_test(series: HourlySeries, framing: Framing, inputs: Inputs = "cycles") -> Prepared:
    """Opens the test period. For promotion alone: whoever searches with it cannot be believed.

    Args:
        series: The whole series.
        framing: The framing of the search.
        inputs: As of `prepare`.

    Returns:
        As `prepare`, one split later: `train` holds every window whose targets end before the test
        period, the scaler is fitted on the rows before it, and `held_out` holds the test windows.

    Raises:
        DataError: If the series is too short.
    """
    train, _, test = split_origins(len(series), framing)
    learned = range(train.start, test.start - framing.horizon + 1)
    rows = feature_rows(series, framing, inputs)
    target_column = len(series.covariate_names)
    scaler = _fit_scaler(series.before(test.start), framing, inputs)
    return Prepared(
        train=_cut_windows(rows[: test.start], _latest(learned, framing), framing, scaler),
        held_out=_cut_windows(rows, test, framing, scaler),
        period="test",
        scaler=scaler,
        target_range=float(scaler.range[target_column]),
        columns=(*series.covariate_names, series.target_name, *added_columns(inputs)),
        target_column=target_column,
        history=series,
        train_rows=test.start,
    )


def feature_rows(
    series: HourlySeries, framing: Framing, inputs: Inputs = "cycles"
) -> NDArray[np.float64]:
    """The unscaled input rows: covariates, target and the columns of `inputs`.

    Args:
        series: n hours.
        framing: Gives the horizon and the lengths of the cycles.
        inputs: As of `prepare`.

    Returns:
        float64 (n, F), each column in its own unit; F = c + 5 with cycles, c + 29 with changes.
    """
    values = series.input_values(framing.horizon)
    return input_rows(values, series.local, framing.horizon, inputs, framing.cycle_lengths)


def _fit_scaler(series: HourlySeries, framing: Framing, inputs: Inputs) -> Scaler:
    # The rows are made of these hours alone: what is known ahead would show later ones.
    rows, target_column = feature_rows(series, framing, inputs), len(series.covariate_names)
    added = list(enumerate(added_columns(inputs), start=target_column + 1))
    return Scaler.fit(
        rows,
        target_column,
        unscaled=[at for at, name in added if name in INDICATORS],
        standardised=[at for at, name in added if name in CHANGES],
    )


def _cut(rows: int, framing: Framing) -> tuple[range, range, range]:
    count = max(0, rows - framing.window - framing.horizon + 1)
    # 0.72 + 0.08 is 0.7999999999999999 in floating point: without the nudge, floor loses a window.
    first = math.floor(count * framing.train + 1e-6)
    second = math.floor(count * (framing.train + framing.validation) + 1e-6)
    purge = framing.horizon - 1
    w = framing.window
    return (
        range(w, max(w, w + first - purge)),
        range(w + first, max(w + first, w + second - purge)),
        range(w + second, w + count),
    )


def _latest(learned: range, framing: Framing) -> range:
    """The windows that are learned from, of all that could be."""
    if framing.train_weeks is None:
        return learned
    return learned[-framing.train_weeks * HOURS_A_WEEK :]


def _rows_needed(framing: Framing) -> int:
    purged = MINIMUM_WINDOWS + framing.horizon - 1
    windows = max(
        math.ceil(purged / framing.train - 1e-6),
        math.ceil(purged / framing.validation - 1e-6),
        math.ceil(MINIMUM_WINDOWS / framing.test - 1e-6),
    )
    return windows + framing.window + framing.horizon - 1


def _cut_windows(
    rows: NDArray[np.float64], origins: range, framing: Framing, scaler: Scaler
) -> Windows:
    first = origins.start - framing.window
    last = origins.stop - 1 + framing.horizon
    scaled = scaler.transform(rows[first:last]).astype(np.float32)
    inputs = sliding_window_view(scaled, framing.window, axis=0)[: len(origins)]
    targets = sliding_window_view(
        scaled[framing.window :, scaler.target_column], framing.horizon, axis=0
    )
    return Windows(
        x=inputs.transpose(0, 2, 1),
        y=targets[: len(origins)],
        origins=np.arange(origins.start, origins.stop, dtype=np.int64),
    )

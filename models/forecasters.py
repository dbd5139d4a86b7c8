"""Forecasters that consist of numbers only: lags, linear tables, trees and their mean.

A served model's folder holds a copy of this file, so it imports only NumPy. The same code forecasts
when baselines are judged and when they are served.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HOURS = 24
HOURS_A_WEEK = 168
# Windows per step, so that long series need little memory.
_CHUNK = 2048
# A tree sees the differences of these lags to the last known value, if the window holds them.
_RECENT = (2, 3, 4, 6, 12, 24, 25, 48, 49, 72, 96, 120, 144, 166, 167, 168)
_DAYS = 7


@dataclass(frozen=True, eq=False)
class Rows:
    """Unscaled hourly rows, and the clock of these and of the hours after them.

    Attributes:
        values: float64 (rows, c + 1), c other columns, then the target, each in its own unit.
        clock: int64 (at least rows,), hour of the week of each row by the local clock: 0 is Monday
            0:00, 167 is Sunday 23:00. It also covers hours to forecast after the last row.
    """

    values: FloatArray
    clock: IntArray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.clock.ndim != 1 or len(self.clock) < len(self.values):
            raise ValueError(
                "expected values (rows, c + 1) and a clock as long or longer, found "
                f"{self.values.shape} and {self.clock.shape}"
            )

    @property
    def target(self) -> FloatArray:
        """float64 (rows,)."""
        return self.values[:, -1]


class Forecaster(Protocol):
    """Forecasts `horizon` hours from the `history` rows before an origin."""

    @property
    def history(self) -> int:
        """Rows before the origin that a forecast reads."""

    def forecast(self, rows: Rows, origins: IntArray) -> FloatArray:
        """Forecast the hours from each origin on.

        Args:
            rows: the rows. For each origin, values before it and the clock from it on are read.
            origins: int64 (n,), `history`..len(rows.values).

        Returns:
            float64 (n, horizon), in the target's unit.
        """

    def as_plain(self) -> dict[str, Any]:
        """The forecaster as values that JSON can hold; see `from_plain`."""


@dataclass(frozen=True, eq=False)
class Lags:
    """The value at a fixed number of rows before the origin: the naive forecasts.

    Attributes:
        back: int64 (horizon,), 1 or more.
    """

    back: IntArray

    @property
    def history(self) -> int:
        """See `Forecaster`."""
        return int(self.back.max())

    def forecast(self, rows: Rows, origins: IntArray) -> FloatArray:
        """See `Forecaster`."""
        return np.asarray(rows.target[origins[:, None] - self.back])

    def as_plain(self) -> dict[str, Any]:
        """See `Forecaster`."""
        return {"kind": "lags", "back": self.back.tolist()}


@dataclass(frozen=True, eq=False)
class Linear:
    """Weights for all window values, more by hour of day, and a constant by hour of week.

    forecast[k] = past[k] . window + by_hour[k, h] . picked + constant[k, w], where h and w are the
    hour of day and of week of the forecast hour, and `picked` are some of the window's values.

    Attributes:
        past: float64 (horizon, window, c + 1), by rows back from the origin, last known row first.
        picks: int64 (p, 2), row back (from 1) and column of each picked value.
        by_hour: float64 (horizon, 24, p).
        constant: float64 (horizon, 168), in the target's unit.
    """

    past: FloatArray
    picks: IntArray
    by_hour: FloatArray
    constant: FloatArray

    @property
    def history(self) -> int:
        """See `Forecaster`."""
        return int(self.past.shape[1])

    def forecast(self, rows: Rows, origins: IntArray) -> FloatArray:
        """See `Forecaster`."""
        horizon, window = self.past.shape[:2]
        weights = self.past.reshape(horizon, -1).T
        back, column = self.picks.T
        result = np.empty((len(origins), horizon))
        for at in range(0, len(origins), _CHUNK):
            some = origins[at : at + _CHUNK]
            seen = rows.values[some[:, None] - np.arange(1, window + 1)]
            found = seen.reshape(len(some), weights.shape[0]) @ weights
            picked = rows.values[some[:, None] - back, column]
            clock = rows.clock[some[:, None] + np.arange(horizon)]
            for step in range(horizon):
                own = self.by_hour[step, clock[:, step] % HOURS]
                found[:, step] += (own * picked).sum(axis=1)
                found[:, step] += self.constant[step, clock[:, step]]
            result[at : at + _CHUNK] = found
        return result

    def as_plain(self) -> dict[str, Any]:
        """See `Forecaster`."""
        arrays = {name: getattr(self, name).tolist() for name in _LINEAR}
        return {"kind": "linear", **arrays}


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosted trees of the change: last known value + start + the value of one leaf per tree.

    The nodes of all trees are stored one after the other. A leaf leads to itself.

    Attributes:
        window: number of rows for the inputs, see `change_inputs`.
        horizon: hours forecast.
        start: added to every forecast.
        roots: int64 (trees,), the first node of each.
        depth: steps from a root to its furthest leaf.
        feature: int64 (nodes,), the input that decides.
        threshold: float64 (nodes,): an input not above it goes left.
        left, right: int64 (nodes,), the next nodes.
        value: float64 (nodes,), the value of a leaf, in the target's unit; 0 for other nodes.
    """

    window: int
    horizon: int
    start: float
    roots: IntArray
    depth: int
    feature: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    value: FloatArray

    @property
    def history(self) -> int:
        """See `Forecaster`."""
        return self.window

    def forecast(self, rows: Rows, origins: IntArray) -> FloatArray:
        """See `Forecaster`."""
        result = np.empty((len(origins), self.horizon))
        for at in range(0, len(origins), _CHUNK):
            some = origins[at : at + _CHUNK]
            for step in range(self.horizon):
                steps = np.full(len(some), step, dtype=np.int64)
                inputs = change_inputs(rows, some, steps, self.window)
                change = self._change(inputs)
                result[at : at + _CHUNK, step] = rows.target[some - 1] + change
        return result

    def _change(self, inputs: FloatArray) -> FloatArray:
        node = np.broadcast_to(self.roots, (len(inputs), len(self.roots)))
        row = np.arange(len(inputs))[:, None]
        for _ in range(self.depth):
            goes_left = inputs[row, self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        return np.asarray(self.start + self.value[node].sum(axis=1))

    def as_plain(self) -> dict[str, Any]:
        """See `Forecaster`."""
        numbers = {name: getattr(self, name) for name in ("window", "horizon", "start", "depth")}
        arrays = {name: getattr(self, name).tolist() for name in _TREES}
        return {"kind": "trees", **numbers, **arrays}


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of several forecasters with the same horizon.

    Attributes:
        parts: one or more.
    """

    parts: tuple[Forecaster, ...]

    @property
    def history(self) -> int:
        """See `Forecaster`."""
        return max(part.history for part in self.parts)

    def forecast(self, rows: Rows, origins: IntArray) -> FloatArray:
        """See `Forecaster`."""
        return np.asarray(np.mean([part.forecast(rows, origins) for part in self.parts], axis=0))

    def as_plain(self) -> dict[str, Any]:
        """See `Forecaster`."""
        return {"kind": "mean", "parts": [part.as_plain() for part in self.parts]}


_LINEAR = ("past", "picks", "by_hour", "constant")
_TREES = ("roots", "feature", "threshold", "left", "right", "value")
_WHOLE = ("picks", "roots", "feature", "left", "right")


def from_plain(plain: Mapping[str, Any]) -> Forecaster:
    """The forecaster that `as_plain` wrote.

    Raises:
        ValueError: the kind is unknown, or a number is missing, not finite or does not fit.
    """
    kind = plain.get("kind")
    try:
        if kind == "mean":
            return Mean(tuple(from_plain(part) for part in plain["parts"]))
        if kind == "lags":
            back = np.asarray(plain["back"], np.int64)
            _need(back.ndim == 1 and back.size > 0 and bool((back >= 1).all()), "back")
            return Lags(back)
        if kind == "linear":
            linear = Linear(**{name: _array(plain, name) for name in _LINEAR})
            _check_linear(linear)
            return linear
        if kind == "trees":
            trees = Trees(
                window=int(plain["window"]),
                horizon=int(plain["horizon"]),
                start=float(plain["start"]),
                depth=int(plain["depth"]),
                **{name: _array(plain, name) for name in _TREES},
            )
            _check_trees(trees)
            return trees
    except (KeyError, TypeError) as error:
        raise ValueError(f"a forecaster of kind {kind!r} is not whole: {error!r}") from error
    raise ValueError(f"expected a forecaster, found one of kind {kind!r}")


def _array(plain: Mapping[str, Any], name: str) -> Any:
    kind = np.int64 if name in _WHOLE else np.float64
    array = np.asarray(plain[name], kind)
    if name == "picks":  # if empty, JSON loses the second dimension
        array = array.reshape(-1, 2)
    _need(bool(np.isfinite(array).all()), name)
    return array


def _check_linear(linear: Linear) -> None:
    _need(linear.past.ndim == 3, "past")
    horizon, window, columns = linear.past.shape
    back, column = linear.picks.T
    inside = (back >= 1) & (back <= window) & (column >= 0) & (column < columns)
    _need(bool(inside.all()), "picks")
    _need(linear.by_hour.shape == (horizon, HOURS, len(linear.picks)), "by_hour")
    _need(linear.constant.shape == (horizon, HOURS_A_WEEK), "constant")


def _check_trees(trees: Trees) -> None:
    nodes = len(trees.feature)
    for name in _TREES:
        array = getattr(trees, name)
        _need(array.ndim == 1 and (name == "roots" or len(array) == nodes), name)
    for name in ("roots", "left", "right"):
        array = getattr(trees, name)
        _need(bool(((array >= 0) & (array < nodes)).all()), name)
    _need(bool(np.isfinite(trees.start)) and 0 <= trees.depth <= nodes, "start or depth")
    _need(trees.window >= 1 and trees.horizon >= 1, "window or horizon")
    _need(bool((trees.feature >= 0).all()), "feature")


def _need(right: bool, name: str) -> None:
    if not right:
        raise ValueError(f"a forecaster's {name} holds numbers that do not fit the others")


def change_inputs(rows: Rows, origins: IntArray, steps: IntArray, window: int) -> FloatArray:
    """The inputs of a tree for the change from the last known hour to `steps` after the origin.

    All values of the target are differences, because trees cannot forecast a level that they have
    not seen: from the last known value to earlier ones, including the same hour of earlier days,
    and the changes of the target on these days over the same hours.

    Args:
        rows: the rows; those from `origin - window` to `origin - 1` are read.
        origins: int64 (n,).
        steps: int64 (n,), 0 is the first hour ahead.
        window: number of rows seen.

    Returns:
        float64 (n, p): step, hour, weekday, weekend, last value, differences; then for each other
        column its last value and its change over an hour and over a day.
    """
    target, clock = rows.target, rows.clock[origins + steps]
    last = target[origins - 1]
    weekday = clock // HOURS
    columns = [steps, clock % HOURS, weekday, weekday >= 5, last]
    columns += [target[origins - back] - last for back in _RECENT if back <= window]
    ahead = steps % HOURS
    for day in range(1, _DAYS + 1):
        if HOURS * day <= window:
            same_hour = target[origins + ahead - HOURS * day]
            columns.append(same_hour - last)
            if HOURS * day + 1 <= window:
                columns.append(same_hour - target[origins - 1 - HOURS * day])
    columns += [_mean_back(target, origins, back) - last for back in {min(HOURS, window), window}]
    for column in rows.values[:, :-1].T:
        now = column[origins - 1]
        columns.append(now)
        columns += [now - column[origins - 1 - back] for back in (1, HOURS) if back < window]
    return np.column_stack(columns).astype(np.float64)


def _mean_back(target: FloatArray, origins: IntArray, rows: int) -> FloatArray:
    # No differences of a running sum: its rounding would depend on rows far away.
    windows = np.lib.stride_tricks.sliding_window_view(target, rows)
    return np.asarray(windows[origins - rows].mean(axis=1))

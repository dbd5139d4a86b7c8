"""Prediction intervals that stay valid when the season changes: misses adapt the half width.

The file imports only NumPy and nothing of this project, so it can be copied beside a served model.

A forecast of `horizon` steps is made every hour. The half width of a step is the product of two
numbers, which are updated for that step separately:

- a scale, the moving mean of the absolute residuals, in the data's unit;
- a multiplier, which grows after a residual outside the interval and shrinks a little after one
  inside. It is the quantile tracker of Angelopoulos, Candes and Tibshirani (2023), "Conformal PID
  control for time series prediction", applied to residual / scale. It is based on Gibbs and Candes
  (2021), "Adaptive conformal inference under distribution shift". Unlike there, the width is never
  infinite.

The actual value of step k (0-based) is known k + 1 hours after the forecast. So its half width for
window i depends on the residuals of windows up to i - k - 1 only.

The following holds for every series and each step k. Of the first m windows with a used residual,
the share outside the interval is at most

    1 - coverage + (b / rate + k + 1) / m,

where b is the largest |residual| / scale, with the scale at the time of the forecast. (The sum of
(outside - (1 - coverage)) is the change of the multiplier over the rate. The multiplier exceeds b
by no more than the k + 1 pending windows can add.) The share also tends to 1 - coverage from below,
unless residuals of 0 keep the multiplier at 0. This is a mean over time, not a promise for the next
hour. An interval cannot adapt to hours that it has not seen: at 24 steps, a change of the weather
shows after a day.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Chosen on rolling origins of twelve quarters of hourly load, none in their last ten weeks.
# Memory of the scale in hours: longer is too slow for a heat wave, shorter makes the widths jump.
MEMORY = 72
# Step of the multiplier, in scales: at 90 %, a miss adds 0.27 and a covered hour subtracts 0.03.
RATE = 0.3
# Largest product of step and delay in hours. Late feedback lets a fast tracker oscillate. It does
# not oscillate while step * delay * density <= 1 / e. The density of |residual| / scale at the 90 %
# quantile is 0.165 for normal residuals, which gives 2.2.
RATE_DELAY = 2.0

_FIELDS = ("coverage", "multiplier", "scale", "pending")


@dataclass(frozen=True)
class Tracker:
    """The state of the intervals before the next window is forecast.

    Attributes:
        coverage: the requested coverage, between 0 and 1.
        multiplier: per step, half width over scale, 0 or more.
        scale: per step, moving mean of the absolute residuals, in the data's unit.
        pending: per step, the windows whose residual must not be used yet, oldest first, at most k
            at step k: (absolute residual, half width of its forecast). None for an unknown
            residual.
    """

    coverage: float
    multiplier: tuple[float, ...]
    scale: tuple[float, ...]
    pending: tuple[tuple[tuple[float | None, float], ...], ...]

    @property
    def half_width(self) -> FloatArray:
        """Half widths of the next window, float64 (horizon,), in the data's unit; finite, >= 0."""
        return np.asarray(np.array(self.multiplier) * np.array(self.scale))

    def as_plain(self) -> dict[str, object]:
        """Return numbers, lists and None, as in JSON; `from_plain` reads them back."""
        return {
            "coverage": self.coverage,
            "multiplier": list(self.multiplier),
            "scale": list(self.scale),
            "pending": [[list(pair) for pair in step] for step in self.pending],
        }


@dataclass(frozen=True)
class Covered:
    """Shares of residuals within the interval, 0 to 1; NaN if no residual is known.

    Attributes:
        share: share of all windows and steps.
        last_quarter: share of the last quarter of the windows, at least one window.
        steps: share of all windows, per step.
        last_quarter_steps: share of the last quarter, per step.
    """

    share: float
    last_quarter: float
    steps: tuple[float, ...]
    last_quarter_steps: tuple[float, ...]


def begin(residuals: FloatArray, coverage: float = 0.9) -> Tracker:
    """Start from calibration residuals: the split conformal half width (Lei et al., 2018).

    It is the k-th smallest absolute residual of the step, k = ceil((n + 1) * coverage).

    Args:
        residuals: float64 (n, horizon), forecast minus actual in the data's unit. The windows were
            not trained on, and all their steps are known when the next window is forecast.
        coverage: the requested coverage, between 0 and 1.

    Raises:
        ValueError: the shape is wrong, a residual is not finite, the coverage is not between 0 and
            1, or n is too small for it.
    """
    absolute = np.abs(_matrix(residuals))
    if not np.isfinite(absolute).all():
        raise ValueError("expected finite calibration residuals, found NaN or infinity")
    if not 0 < coverage < 1:
        raise ValueError(f"expected a coverage between 0 and 1, found {coverage}")
    count, horizon = absolute.shape
    k = math.ceil((count + 1) * coverage)
    if k > count:
        raise ValueError(f"{count} residuals are too few for an interval of {coverage:.0%}")
    half = np.sort(absolute, axis=0)[k - 1]
    scale = absolute.mean(axis=0)
    multiplier = np.divide(half, scale, out=np.zeros(horizon), where=scale > 0)
    return Tracker(float(coverage), _floats(multiplier), _floats(scale), ((),) * horizon)


def follow(tracker: Tracker, residuals: FloatArray) -> tuple[FloatArray, Tracker]:
    """Update the tracker with the next windows, in time order.

    Two calls with parts of the windows equal one call with all. NaN means an unknown residual,
    which changes nothing, also not later. So while the last windows have steps to come, keep the
    tracker after the last complete window, and follow again from there when hours arrive. Until
    then, NaN in the open steps give the same half widths as their values would.

    Args:
        tracker: the tracker before the first of the windows.
        residuals: float64 (n, horizon), forecast minus actual in the data's unit, one window per
            hour; NaN if not known.

    Returns:
        The half widths before each window was forecast, float64 (n, horizon), in the data's unit;
        and the tracker after the last window.

    Raises:
        ValueError: the shape is wrong, or a residual is infinite.
    """
    horizon = len(tracker.scale)
    new = np.abs(_matrix(residuals))
    if new.shape[1] != horizon:
        raise ValueError(f"expected residuals of {horizon} steps, found {new.shape[1]}")
    if np.isinf(new).any():
        raise ValueError("expected finite residuals, or NaN if not known; found infinity")
    before = horizon - 1
    absolute, half = np.full((2, before + len(new), horizon), np.nan)
    absolute[before:] = new
    for step, pairs in enumerate(tracker.pending):
        for row, (residual, then) in enumerate(pairs, start=before - len(pairs)):
            absolute[row, step] = math.nan if residual is None else residual
            half[row, step] = then
    steps = np.arange(horizon)
    rate = np.minimum(RATE, RATE_DELAY / (steps + 1))
    multiplier, scale = np.array(tracker.multiplier), np.array(tracker.scale)
    for row in range(before, len(absolute)):
        half[row] = multiplier * scale
        # Between this forecast and the next, one hour becomes known: the first step of this window,
        # the second step of the window before, and so on.
        seen, width = absolute[row - steps, steps], half[row - steps, steps]
        known = ~np.isnan(seen)
        moved = multiplier + rate * ((seen > width) - (1 - tracker.coverage))
        multiplier = np.where(known, np.maximum(moved, 0.0), multiplier)
        scale = np.where(known, scale + (seen - scale) / MEMORY, scale)
    pending = tuple(
        _pairs(absolute[-step:, step], half[-step:, step]) if step else ()
        for step in steps.tolist()
    )
    after = Tracker(tracker.coverage, _floats(multiplier), _floats(scale), pending)
    return half[before:].copy(), after


def covered(residuals: FloatArray, half_widths: FloatArray) -> Covered:
    """Measure the share of the known residuals that lie within the half widths.

    Args:
        residuals: float64 (n, horizon), forecast minus actual, oldest first; NaN if not known.
        half_widths: float64 (n, horizon), or (horizon,) for the same in every window.

    Raises:
        ValueError: there is no window, or the shapes do not match.
    """
    absolute = np.abs(_matrix(residuals))
    if len(absolute) == 0:
        raise ValueError("expected at least one window, found none")
    if half_widths.shape not in (absolute.shape, absolute.shape[1:]):
        raise ValueError(
            f"expected half widths of residuals {absolute.shape}, found {half_widths.shape}"
        )
    inside, known = absolute <= half_widths, ~np.isnan(absolute)
    quarter = slice(-max(1, len(absolute) // 4), None)
    return Covered(
        _share(inside, known),
        _share(inside[quarter], known[quarter]),
        tuple(_share(*step) for step in zip(inside.T, known.T, strict=True)),
        tuple(_share(*step) for step in zip(inside[quarter].T, known[quarter].T, strict=True)),
    )


def from_plain(plain: object) -> Tracker:
    """Read the values of `Tracker.as_plain`, also after a way through JSON.

    Raises:
        ValueError: a field is missing or unknown, a length is wrong, or a number is not finite or
            below 0.
    """
    if not isinstance(plain, Mapping) or set(plain) != set(_FIELDS):
        found = sorted(map(str, plain)) if isinstance(plain, Mapping) else type(plain).__name__
        raise ValueError(f"expected a tracker with {', '.join(_FIELDS)}; found {found}")
    coverage = _number(plain["coverage"], "coverage")
    if not 0 < coverage < 1:
        raise ValueError(f"expected a coverage between 0 and 1, found {coverage}")
    multiplier = _numbers(plain["multiplier"], "multiplier")
    scale = _numbers(plain["scale"], "scale")
    pending = [
        tuple(_pair(pair, f"pending[{k}]") for pair in _sequence(step, f"pending[{k}]"))
        for k, step in enumerate(_sequence(plain["pending"], "pending"))
    ]
    if not len(multiplier) == len(scale) == len(pending) > 0:
        raise ValueError(
            "expected multiplier, scale and pending of one length, 1 or more; found "
            f"{len(multiplier)}, {len(scale)} and {len(pending)}"
        )
    for k, step in enumerate(pending):
        expected = min(k, len(pending[-1]))
        if len(step) != expected:
            raise ValueError(f"expected {expected} windows in pending[{k}], found {len(step)}")
    tracker = Tracker(coverage, multiplier, scale, tuple(pending))
    if not all(
        one * other <= sys.float_info.max for one, other in zip(multiplier, scale, strict=True)
    ):
        raise ValueError("expected finite half widths, multiplier times scale; found infinity")
    return tracker


def _matrix(residuals: FloatArray) -> FloatArray:
    if residuals.ndim != 2 or residuals.shape[1] == 0:
        raise ValueError(f"expected residuals (n, horizon), found the shape {residuals.shape}")
    return np.asarray(residuals, dtype=np.float64)


def _share(inside: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> float:
    count = np.count_nonzero(known)
    return float(np.count_nonzero(inside & known) / count) if count else math.nan


def _floats(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _pairs(absolute: FloatArray, half: FloatArray) -> tuple[tuple[float | None, float], ...]:
    """Pair residuals and half widths; windows before the first followed one have none."""
    return tuple(
        (None if math.isnan(residual) else residual, width)
        for residual, width in zip(absolute.tolist(), half.tolist(), strict=True)
        if not math.isnan(width)
    )


def _sequence(value: object, name: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list as {name}, found {value!r}")
    return value


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number in {name}, found {value!r}")
    if not 0 <= value <= sys.float_info.max:
        raise ValueError(f"expected a finite number of 0 or more in {name}, found {value}")
    return float(value)


def _numbers(value: object, name: str) -> tuple[float, ...]:
    return tuple(_number(one, name) for one in _sequence(value, name))


def _pair(value: object, name: str) -> tuple[float | None, float]:
    pair = _sequence(value, name)
    if len(pair) != 2:
        raise ValueError(f"expected a residual and a half width in {name}, found {value!r}")
    residual = None if pair[0] is None else _number(pair[0], name)
    return residual, _number(pair[1], name)

"""The week along an axis: a picture and both errors for every measured level.

Every level is its own figure in the page. A script shows one figure at a time with a slider.
Without scripts, and in print, the figures are side by side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.common.spool import Forecasts
from search.results.axes import Curve, Level
from search.results.axes_figure import network
from search.results.summary import amount

FloatArray = npt.NDArray[np.float64]

HOURS = 168
WIDTH, HEIGHT = 504, 150  # of a picture, in its own units: three an hour


@dataclass(frozen=True)
class LevelView:
    """One level: its caption, and its week as an SVG element, "" without forecasts."""

    caption: str
    svg: str


@dataclass(frozen=True)
class AxisView:
    """An axis: its heading, its levels, and the index of the level shown first."""

    heading: str
    levels: tuple[LevelView, ...]
    start: int


def shown_curves(curves: Sequence[Curve]) -> list[Curve]:
    """One curve per axis: most proven arms first, then most levels; of equals, the first."""
    found: dict[str, Curve] = {}
    for curve in curves:
        if curve.axis not in found or _shows(curve) > _shows(found[curve.axis]):
            found[curve.axis] = curve
    return list(found.values())


def _shows(curve: Curve) -> tuple[int, int]:
    arms = sum(arm is not None for arm in (curve.overfit, curve.underfit))
    return arms, len(curve.levels)


def axis_views(
    curves: Sequence[Curve],
    forecasts: Mapping[tuple[str, int], Forecasts],
    unit: str,
    words: Mapping[str, str],
) -> list[AxisView]:
    """The axes of some curves, in their order.

    Args:
        curves: the curves whose levels are shown.
        forecasts: forecasts of their trials, by study and number; some may not be kept.
        unit: the data's unit.
        words: the words of the page's language.
    """
    own = [
        forecasts[level.study, level.trial]
        for curve in curves
        for level in curve.levels
        if (level.study, level.trial) in forecasts
    ]
    values = [column for kept in own for column in (_week(kept.actual), _week(kept.forecast))]
    ends = (min(map(np.min, values)), max(map(np.max, values))) if values else (0.0, 1.0)
    low, high = float(ends[0]), float(ends[1])
    return [
        AxisView(
            heading=f"{words[f'slide_{curve.axis}']} ({network(curve, words)})",
            levels=tuple(
                LevelView(
                    caption=_caption(level, unit, words),
                    svg=_picture(forecasts.get((level.study, level.trial)), low, high),
                )
                for level in curve.levels
            ),
            start=curve.lowest,
        )
        for curve in curves
    ]


def _caption(level: Level, unit: str, words: Mapping[str, str]) -> str:
    return words["slide_caption"].format(
        value=f"{level.value:.3g}",
        train=amount(level.train.mean),
        validation=amount(level.validation.mean),
        bias="-" if level.bias is None else amount(level.bias, "+"),
        unit=unit,
        seeds=level.seeds,
    )


def _week(values: FloatArray) -> FloatArray:
    return values[:HOURS, 0]


def _picture(kept: Forecasts | None, low: float, high: float) -> str:
    """Draw actual and forecast as two lines; the caption describes them in words."""
    if kept is None:
        return ""
    lines = "".join(
        f'<polyline class="{name}" points="{_points(_week(values), low, high)}"/>'
        for name, values in (("actual", kept.actual), ("forecast", kept.forecast))
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{lines}</svg>'


def _points(values: FloatArray, low: float, high: float) -> str:
    across = np.linspace(0, WIDTH, len(values)) if len(values) > 1 else np.zeros(len(values))
    up = HEIGHT - 4 - (values - low) / max(high - low, 1e-12) * (HEIGHT - 8)
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in zip(across, up, strict=True))

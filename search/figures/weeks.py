"""One week of actual and forecast values with marked peak hours, for one or more networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, DateFormatter, date2num
from matplotlib.figure import Figure

from models.metrics import PEAK_PERCENTILE
from search.figures.canvas import (
    BLUE,
    DPI,
    INK,
    LABEL_PT,
    TEXT_PT,
    VERMILLION,
    dress_panel,
    legend_below,
    new_figure,
    new_panels,
    same_length,
    say_nothing_to_show,
    write_beside,
)

FloatArray = npt.NDArray[np.float64]

HOURS = 168


@dataclass(frozen=True)
class Week:
    """Hours of one network. The first 168 are drawn.

    Attributes:
        heading: names the network.
        times: (n,) hours, in the order to draw. Of times with a zone, the local clock is drawn.
        actual: float64 (n,), in the data's unit. Peak hours are those above the 90th percentile of
            all n; the peak metrics judge the same hours.
        forecast: float64 (n,), in the data's unit.

    Raises:
        ValueError: the lengths differ.
    """

    heading: str
    times: pd.DatetimeIndex
    actual: FloatArray
    forecast: FloatArray

    def __post_init__(self) -> None:
        """Check the lengths."""
        same_length({"times": self.times, "actual": self.actual, "forecast": self.forecast})


@dataclass(frozen=True)
class Errors:
    """RMSE of a network on its training and on the validation windows, in the data's unit.

    `labels` say both in words.
    """

    train: float
    validation: float
    labels: tuple[str, str]


def one_week(week: Week, unit: str) -> Figure:
    """Draw one network's week, its `heading` as the title; `unit` is the data's, say "MW"."""
    figure, axes = new_figure(
        week.heading, "Time (hourly, the data's clock)", f"Usage ({unit})", width=10.0
    )
    if not len(week.actual):
        say_nothing_to_show(axes)
        return figure
    threshold = float(np.percentile(week.actual, PEAK_PERCENTILE))
    peak = f"peak hour: actual above its 90th percentile, {threshold:,.4g} {unit}"
    _draw(axes, week, {"actual": "actual", "forecast": "forecast", "peak": peak})
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_fontsize(TEXT_PT)
    legend_below(figure, axes, columns=3)
    return figure


def weeks(shown: Sequence[Week], words: Mapping[str, str]) -> Figure:
    """Draw networks below each other on one scale, so that their peaks can be compared.

    Args:
        shown: at least one, each of one hour or more.
        words: "title", "x", "y", "actual", "forecast", "peak" and "note".

    Raises:
        ValueError: there is no network, or one without an hour.
    """
    if not shown or not all(len(week.actual) for week in shown):
        raise ValueError("a week needs at least one network of one hour or more")
    figure, grid = new_panels(len(shown), 1, 2.1 * len(shown) + 1.2, words["title"], width=10.0)
    for axes, week in zip(grid[:, 0], shown, strict=True):
        _draw(axes, week, words)
        last = week is shown[-1]
        dress_panel(axes, week.heading, words["x"] if last else "")
        axes.set_ylabel(words["y"], fontsize=LABEL_PT, color=INK)
        axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=9))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(DateFormatter("%m-%d"))  # type: ignore[no-untyped-call]
    legend_below(figure, grid[0, 0], columns=3, note=words["note"])
    return figure


def side_by_side(
    shown: Sequence[Week], errors: Sequence[Errors], words: Mapping[str, str]
) -> Figure:
    """Draw networks beside each other on one scale, small enough for the top of a page.

    Two bars above each week compare its network's errors, which the week alone cannot show.

    Args:
        shown: at least one, each of one hour or more.
        errors: of each network.
        words: "y", "actual", "forecast" and "peak".

    Raises:
        ValueError: there is none, or one without an hour.
    """
    if not shown or not all(len(week.actual) for week in shown):
        raise ValueError("a week needs at least one network of one hour or more")
    figure = Figure(figsize=(13.0, 3.2), dpi=DPI, facecolor="white", layout="constrained")
    grid = figure.subplots(
        2, len(shown), sharex="row", sharey="row", squeeze=False, height_ratios=(1, 4.5)
    )
    for (top, axes), week, pair in zip(grid.T, shown, errors, strict=True):
        _compare(top, week.heading, pair)
        _draw(axes, week, words)
        dress_panel(axes, "", "")
        axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=5))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(DateFormatter("%m-%d"))  # type: ignore[no-untyped-call]
    grid[0, 0].set_xlim(0, 1.9 * max(max(one.train, one.validation) for one in errors))
    grid[1, 0].set_ylabel(words["y"], fontsize=LABEL_PT, color=INK)
    legend_below(figure, grid[1, 0], columns=3)
    return figure


def _compare(axes: Axes, heading: str, pair: Errors) -> None:
    """One bar for the error in training, one for that in validation, with their labels."""
    axes.set_title(heading, fontsize=LABEL_PT, color=INK, loc="left")
    bars = ((pair.train, VERMILLION), (pair.validation, BLUE))
    for row, ((value, color), label) in enumerate(zip(bars, pair.labels, strict=True)):
        axes.barh(row, value, color=color, height=0.7)
        write_beside(axes, label, value, row)
    axes.set_ylim(1.6, -0.6)
    axes.set_axis_off()


def _draw(axes: Axes, week: Week, words: Mapping[str, str]) -> None:
    clock = date2num(week.times[:HOURS].tz_localize(None).to_pydatetime())  # type: ignore[no-untyped-call]
    actual, forecast = week.actual[:HOURS], week.forecast[:HOURS]
    lone = "o" if len(actual) == 1 else ""
    axes.plot(clock, actual, color=INK, linewidth=1.8, marker=lone, label=words["actual"])
    axes.plot(
        clock,
        forecast,
        color=VERMILLION,
        linewidth=1.6,
        linestyle=(0, (4, 1.5)),
        marker=lone,
        label=words["forecast"],
    )
    peaks = actual > np.percentile(week.actual, PEAK_PERCENTILE)
    if peaks.any():
        axes.plot(
            clock[peaks],
            actual[peaks],
            linestyle="none",
            marker="o",
            markersize=5.5,
            markerfacecolor="none",
            markeredgecolor=BLUE,
            markeredgewidth=1.4,
            label=words["peak"],
        )
    if len(actual) == 1:
        axes.set_xlim(clock[0] - 0.5, clock[0] + 0.5)
    axes.margins(x=0.01)

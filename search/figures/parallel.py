"""Parallel coordinates: every trial as a line across its parameters."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from experiments.space import Value
from search.figures.canvas import (
    GREY,
    INK,
    SCALED_MSE,
    color_bar,
    color_scale,
    new_figure,
    same_length,
    say_nothing_to_show,
    short,
)

# The axes go from 0 to 1. This is the height of a parameter that a trial does not have.
_UNUSED = -0.16


def parallel_coordinates(
    rows: Sequence[Mapping[str, Value]],
    values: Sequence[float],
    log: Collection[str],
    title: str,
) -> Figure:
    """Draw every trial as a line across its parameters, coloured by its validation MSE.

    Each parameter has its own axis. Numbers run from smallest to largest, on a log scale if named
    in `log`; a 0 then has its own place at the bottom. Strings and booleans are categories. If a
    trial does not have a (conditional) parameter, its line passes through "not used", below the
    axes. The best trials are drawn last and thickest.

    Args:
        rows: the parameters of each trial by name.
        values: the validation MSE of each trial on the scaled target.
        log: the parameters with a log scale.
        title: says what is shown.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ.
    """
    same_length({"rows": rows, "values": values})
    names = list(dict.fromkeys(name for row in rows for name in row))
    figure, axes = new_figure(
        title,
        "Parameter (own unit and scale each); thick: the best tenth of the trials",
        "",
        width=max(8.0, 1.5 + len(names)),
    )
    axes.grid(visible=False)
    axes.yaxis.set_major_locator(NullLocator())
    if not names:
        say_nothing_to_show(axes)
        return figure

    scales = [
        _parameter_axis([row[name] for row in rows if name in row], name in log) for name in names
    ]
    some_unused = any(name not in row for row in rows for name in names)
    norm, colors = color_scale(values)
    lines = [
        [
            scale.place(row[name]) if name in row else _UNUSED
            for name, scale in zip(names, scales, strict=True)
        ]
        for row in rows
    ]
    _draw_trials(axes, lines, values, [colors(norm(value)) for value in values])
    for x, scale in enumerate(scales):
        _draw_ticks(axes, x, scale)
    _frame(axes, [f"{name} (log)" if name in log else name for name in names], some_unused)
    color_bar(figure, axes, norm, colors, SCALED_MSE, values)
    return figure


def _draw_trials(
    axes: Axes,
    lines: Sequence[Sequence[float]],
    values: Sequence[float],
    colors: Sequence[tuple[float, float, float, float]],
) -> None:
    """Draw each trial's line, the worst first and the best tenth thick."""
    order = sorted(range(len(lines)), key=lambda i: -values[i])
    for rank, i in enumerate(order):
        top = rank >= len(order) - max(1, len(order) // 10)
        axes.plot(
            range(len(lines[i])),
            lines[i],
            color=colors[i],
            linewidth=2.4 if top else 1.2,
            alpha=1.0 if top else 0.7,
            marker="o",
            markersize=4.5 if top else 3,
            zorder=2 + rank / len(order),
        )


@dataclass(frozen=True)
class _Categories:
    """An axis of strings and booleans: the height of a value (0..1), and the ticks."""

    names: tuple[str, ...]

    def place(self, value: Value) -> float:
        count = len(self.names)
        return 0.5 if count == 1 else self.names.index(str(value)) / (count - 1)

    def ticks(self) -> list[tuple[float, str]]:
        return [
            (self.place(name), name if len(name) <= 14 else f"{name[:13]}…") for name in self.names
        ]


@dataclass(frozen=True)
class _Numbers:
    """An axis of numbers: the height of a value (0..1), and the ticks.

    If there is a 0, a log axis keeps the part `foot` of its height for it.
    """

    lowest: float
    highest: float
    log: bool
    foot: float
    marks: tuple[float, ...]

    def place(self, value: Value) -> float:
        number = float(value)
        if self.log and number <= 0:
            return 0.0
        if self.lowest == self.highest:
            share = 0.5
        elif self.log:
            share = math.log(number / self.lowest) / math.log(self.highest / self.lowest)
        else:
            share = (number - self.lowest) / (self.highest - self.lowest)
        return self.foot + (1.0 - self.foot) * share

    def ticks(self) -> list[tuple[float, str]]:
        return [(self.place(mark), short(mark)) for mark in self.marks]


def _parameter_axis(values: Sequence[Value], log: bool) -> _Categories | _Numbers:
    if any(isinstance(value, bool | str) for value in values):
        return _Categories(tuple(sorted({str(value) for value in values})))

    numbers = [float(value) for value in values]
    positive = [number for number in numbers if number > 0]
    log = log and bool(positive)
    scaled = positive if log else numbers
    lowest, highest = min(scaled), max(scaled)
    if len(set(scaled)) <= 5:
        marks = sorted(set(scaled))
    elif log:
        decades = LogLocator(base=10, numticks=7).tick_values(lowest, highest)
        inside = [float(mark) for mark in decades if lowest * 1.25 < mark < highest / 1.25]
        marks = [lowest, *inside, highest]
    else:
        whole = all(isinstance(value, int) for value in values)
        locator = MaxNLocator(nbins=5, integer=whole)
        marks = [float(mark) for mark in locator.tick_values(lowest, highest)]
        lowest, highest = min(lowest, marks[0]), max(highest, marks[-1])
    if log and len(positive) < len(numbers):
        return _Numbers(lowest, highest, log, 0.12, (0.0, *marks))
    return _Numbers(lowest, highest, log, 0.0, tuple(marks))


def _frame(axes: Axes, labels: Sequence[str], some_unused: bool) -> None:
    if some_unused:
        axes.axhline(_UNUSED, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
        axes.text(-0.12, _UNUSED, "not used", fontsize=9.0, color=INK, va="center", ha="right")
    axes.set_xlim(-0.2, len(labels) - 1 + 0.75)
    axes.set_ylim(_UNUSED - 0.08 if some_unused else -0.06, 1.06)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", rotation_mode="anchor")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _draw_ticks(axes: Axes, x: int, scale: _Categories | _Numbers) -> None:
    axes.plot([x, x], [0, 1], color=INK, linewidth=1.1, zorder=4)
    for height, label in scale.ticks():
        axes.plot([x, x + 0.05], [height, height], color=INK, linewidth=1.1, zorder=4)
        axes.text(
            x + 0.08,
            height,
            label,
            fontsize=9.0,
            color=INK,
            va="center",
            zorder=5,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8},
        )

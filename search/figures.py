"""The figures of a study: plain arrays in, a matplotlib `Figure` out, nothing computed but drawing.

Only matplotlib's object interface is used, never pyplot, so figures can be drawn in any thread.
Every figure is opaque white with dark text and the Okabe-Ito colours, which stay apart for
colour-blind readers; what colour tells, a marker or a line style tells too. No text is below 9 pt.
Empty input gives a figure that says so; input is expected free of NaN.
"""

import io
import math
from collections.abc import Collection, Mapping, Sequence, Sized
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from models.metrics import PEAK_PERCENTILE

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Parameter = float | int | bool | str

DPI = 110
WEEK = 168

INK = "#1a1a1a"
GREY = "#6e6e6e"
GRID = "#dddddd"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
OCHRE = "#B8860B"  # the palette's orange, darkened to stay apart from vermillion

TEXT_PT = 9.5
TITLE_PT = 12.0

SCALED_MSE = "Validation MSE (scaled target, 1)"


def loss_curves(history: Mapping[str, Sequence[float]], best_epoch: int, title: str) -> Figure:
    """Draw training and validation loss by epoch, on a log axis, the best epoch marked.

    Args:
        history: values by epoch, in units of the scaled target squared: "loss" (training, with
            penalty and dropout), "val_loss" (with penalty), "val_mse" (without). Other keys, such
            as "learning_rate", are not drawn; missing ones neither.
        best_epoch: the epoch whose weights were kept, counted from 1; not marked where there is
            no such epoch.
        title: says what is shown.

    Returns:
        The figure.
    """
    figure, axes = _figure(title, "Epoch (counted from 1)", "Loss (scaled target squared, 1)")
    curves = (
        ("loss", "training loss, with penalty and dropout", VERMILLION, "--", "s"),
        ("val_loss", "validation loss, with penalty", PURPLE, "-.", "^"),
        ("val_mse", "validation MSE, without penalty", BLUE, "-", "o"),
    )
    drawn: list[float] = []
    epochs = 0
    for key, label, color, style, marker in curves:
        values = list(history.get(key, ()))
        if not values:
            continue
        drawn += values
        epochs = max(epochs, len(values))
        axes.plot(
            range(1, len(values) + 1),
            values,
            color=color,
            linestyle=style,
            marker=marker,
            markersize=3.5,
            markevery=max(1, len(values) // 15),
            linewidth=1.8,
            label=label,
        )
    if not drawn:
        return _nothing(figure, axes)

    _magnitude_scale(axes, drawn)
    if 1 <= best_epoch <= epochs:
        axes.axvline(
            best_epoch, color=INK, linestyle=":", linewidth=1.4, label=f"best epoch: {best_epoch}"
        )
    axes.set_xlim(0.5, epochs + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    _legend_below(
        figure,
        axes,
        columns=2,
        note="The training loss is measured with dropout on, during the epoch and with the "
        "penalty:\nit is not comparable with the validation curves.",
    )
    return _finished(figure)


def one_week(
    times: pd.DatetimeIndex, actual: FloatArray, forecast: FloatArray, unit: str, title: str
) -> Figure:
    """Draw the first 168 hours of actual against forecast, the peak hours marked.

    Args:
        times: the (n,) hours, in the order to be drawn; a time zone is dropped, its clock kept.
        actual: float64 (n,), in `unit`; peak hours are those above the 90th percentile of all n,
            the same hours the peak metrics judge.
        forecast: float64 (n,), in `unit`.
        unit: the data's unit, say "MW".
        title: says what is shown.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ.
    """
    _same_length({"times": times, "actual": actual, "forecast": forecast})
    figure, axes = _figure(title, "Time (hourly, the data's clock)", f"Usage ({unit})", width=10.0)
    if not len(actual):
        return _nothing(figure, axes)

    threshold = float(np.percentile(actual, PEAK_PERCENTILE))
    clock = date2num(times[:WEEK].tz_localize(None).to_pydatetime())  # type: ignore[no-untyped-call]
    shown, predicted = actual[:WEEK], forecast[:WEEK]
    lone = "o" if len(shown) == 1 else ""
    axes.plot(clock, shown, color=INK, linewidth=1.8, marker=lone, label="actual")
    axes.plot(
        clock,
        predicted,
        color=VERMILLION,
        linewidth=1.6,
        linestyle=(0, (4, 1.5)),
        marker=lone,
        label="forecast",
    )
    peaks = shown > threshold
    if peaks.any():
        axes.plot(
            clock[peaks],
            shown[peaks],
            linestyle="none",
            marker="o",
            markersize=5.5,
            markerfacecolor="none",
            markeredgecolor=BLUE,
            markeredgewidth=1.4,
            label=f"peak hour: actual above its 90th percentile, {threshold:,.4g} {unit}",
        )
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_fontsize(TEXT_PT)
    if len(shown) == 1:
        axes.set_xlim(clock[0] - 0.5, clock[0] + 0.5)
    axes.margins(x=0.01)
    _legend_below(figure, axes, columns=3)
    return _finished(figure)


def residuals_by_hour(hours: IntArray, residuals: FloatArray, unit: str, title: str) -> Figure:
    """Draw box plots of forecast minus actual by hour of day, with a zero line.

    Args:
        hours: int (n,), the hour of day 0..23 of each forecast hour.
        residuals: float64 (n,), forecast minus actual, in `unit`; negative: predicted too low.
        unit: the data's unit, say "MW".
        title: says what is shown.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ or an hour is not within 0..23.
    """
    _same_length({"hours": hours, "residuals": residuals})
    figure, axes = _figure(title, "Hour of day (h)", f"Forecast minus actual ({unit})", width=10.0)
    axes.set_xlim(-0.7, 23.7)
    axes.set_xticks(range(24))
    axes.grid(visible=False, axis="x")
    if not len(hours):
        return _nothing(figure, axes)
    if hours.min() < 0 or hours.max() > 23:
        raise ValueError(f"hours must lie in 0..23, got {hours.min()}..{hours.max()}")

    present = [int(hour) for hour in np.unique(hours)]
    axes.axhline(0.0, color=VERMILLION, linewidth=1.6, linestyle="--", label="no error")
    axes.boxplot(
        [residuals[hours == hour] for hour in present],
        positions=present,
        widths=0.6,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": "#cfe3f1", "edgecolor": BLUE, "linewidth": 1.2},
        medianprops={"color": INK, "linewidth": 1.8},
        whiskerprops={"color": BLUE, "linewidth": 1.2},
        capprops={"color": BLUE, "linewidth": 1.2},
        flierprops={
            "marker": "o",
            "markersize": 3,
            "markerfacecolor": "none",
            "markeredgecolor": GREY,
        },
    )
    _legend_below(
        figure,
        axes,
        columns=1,
        note="Box: middle half, with the median; whiskers: up to 1.5 box heights; dots: beyond.\n"
        "Below the line the forecast is too low.",
    )
    return _finished(figure)


def optimization_history(
    numbers: Sequence[int],
    values: Sequence[float | None],
    states: Sequence[str],
    references: Mapping[str, float],
    title: str,
) -> Figure:
    """Draw the validation MSE of every trial by its number, and the best so far.

    Args:
        numbers: the trial numbers.
        values: the validation MSE on the scaled target; of a pruned trial the last one it
            reported; None where there is none. Trials without a value are marked on the lower
            edge.
        states: "complete", "pruned", "failed", "interrupted" or "running", one a trial; only
            complete trials count for the best so far.
        references: the validation MSE of other forecasts (the baselines) by name, on the same
            scale, each drawn as a labelled line.
        title: says what is shown.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ or a state is unknown.
    """
    _same_length({"numbers": numbers, "values": values, "states": states})
    looks = {
        "complete": ("o", BLUE),
        "pruned": ("^", OCHRE),
        "failed": ("X", VERMILLION),
        "interrupted": ("P", PURPLE),
        "running": ("D", GREY),
    }
    if unknown := sorted(set(states) - set(looks)):
        raise ValueError(f"unknown trial states {unknown}; there are {', '.join(looks)}")

    figure, axes = _figure(title, "Trial (number)", SCALED_MSE, width=10.0)
    if not numbers and not references:
        return _nothing(figure, axes)

    trials = sorted(zip(numbers, values, states, strict=True), key=lambda trial: trial[0])
    for state, (marker, color) in looks.items():
        label = f"{state} ({sum(s == state for s in states)})"
        with_value = [(n, v) for n, v, s in trials if s == state and v is not None]
        without = [n for n, v, s in trials if s == state and v is None]
        if with_value:
            axes.scatter(
                [n for n, _ in with_value],
                [v for _, v in with_value],
                s=34,
                marker=marker,
                facecolors="none" if state == "pruned" else color,
                edgecolors=color,
                linewidths=1.2,
                zorder=3,
                label=label,
            )
        if without:
            axes.scatter(
                without,
                [0.025] * len(without),
                s=40,
                marker=marker,
                facecolors=color,
                edgecolors=color,
                transform=axes.get_xaxis_transform(),
                clip_on=False,
                zorder=3,
                label=None if with_value else label,
            )
    complete = [(n, v) for n, v, s in trials if s == "complete" and v is not None]
    if complete:
        best = np.minimum.accumulate([v for _, v in complete])
        steps = [n for n, _ in complete]
        axes.step(
            [*steps, max(numbers)],
            [*best, best[-1]],
            where="post",
            color=INK,
            linewidth=1.6,
            label=f"best so far: {best[-1]:.3g}",
        )

    _magnitude_scale(axes, [v for v in values if v is not None] + list(references.values()))
    if numbers:
        room = max(1.0, 0.03 * (max(numbers) - min(numbers)))
        axes.set_xlim(min(numbers) - room, max(numbers) + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    _labelled_lines(axes, references)
    if numbers:
        _legend_below(figure, axes, columns=6)
    return _finished(figure)


def importance(names: Sequence[str], values: Sequence[float], title: str) -> Figure:
    """Draw how much each parameter decides, most important first.

    Args:
        names: the parameters.
        values: their importance, shares of 1.
        title: says what is shown.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ.
    """
    _same_length({"names": names, "values": values})
    figure, axes = _figure(
        title,
        "Importance (share of 1)",
        "Parameter (name)",
        height=max(2.6, 1.6 + 0.34 * len(names)),
    )
    axes.grid(visible=False, axis="y")
    if not names:
        return _nothing(figure, axes)

    ordered = sorted(zip(values, names, strict=True), key=lambda pair: -pair[0])
    places = range(len(ordered))
    bars = axes.barh(places, [value for value, _ in ordered], height=0.62, color=BLUE)
    axes.bar_label(bars, [f"{value:.2f}" for value, _ in ordered], padding=4, fontsize=TEXT_PT)
    axes.set_yticks(places, [name for _, name in ordered])
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    axes.set_xlim(min(0.0, *values), max(*values, 1e-9) * 1.12)
    return _finished(figure)


def parallel_coordinates(
    rows: Sequence[Mapping[str, Parameter]],
    values: Sequence[float],
    log: Collection[str],
    title: str,
) -> Figure:
    """Draw every trial as a line across its parameters, coloured by its validation MSE.

    Each parameter has an axis of its own: numbers are spread from smallest to largest, on a log
    scale where named in `log` (a 0 then has a place of its own at the foot); strings and booleans
    are categories. A parameter that a trial does not have (a conditional one) passes through
    "not used", below the axes. The best trials are drawn last and thickest.

    Args:
        rows: the parameters of each trial by name.
        values: the validation MSE of each trial on the scaled target.
        log: the parameters to spread on a log scale.
        title: says what is shown.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ.
    """
    _same_length({"rows": rows, "values": values})
    names = list(dict.fromkeys(name for row in rows for name in row))
    figure, axes = _figure(
        title,
        "Parameter (own unit and scale each); thick: the best tenth of the trials",
        "",
        width=max(8.0, 1.5 + len(names)),
    )
    axes.grid(visible=False)
    axes.yaxis.set_major_locator(NullLocator())
    if not names:
        return _nothing(figure, axes)

    scales = [
        _parameter_axis([row[name] for row in rows if name in row], name in log) for name in names
    ]
    unused = -0.16
    some_unused = any(name not in row for row in rows for name in names)
    norm, colors = _color_scale(values), _strong_viridis()
    order = sorted(range(len(rows)), key=lambda i: -values[i])
    for rank, i in enumerate(order):
        heights = [
            scale.place(rows[i][name]) if name in rows[i] else unused
            for name, scale in zip(names, scales, strict=True)
        ]
        top = rank >= len(order) - max(1, len(order) // 10)
        axes.plot(
            range(len(names)),
            heights,
            color=colors(norm(values[i])),
            linewidth=2.4 if top else 1.2,
            alpha=1.0 if top else 0.7,
            marker="o",
            markersize=4.5 if top else 3,
            zorder=2 + rank / len(order),
        )

    for x, scale in enumerate(scales):
        axes.plot([x, x], [0, 1], color=INK, linewidth=1.1, zorder=4)
        for height, label in scale.ticks:
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
    if some_unused:
        axes.axhline(unused, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
        axes.text(-0.12, unused, "not used", fontsize=9.0, color=INK, va="center", ha="right")
    axes.set_xlim(-0.2, len(names) - 1 + 0.75)
    axes.set_ylim(unused - 0.08 if some_unused else -0.06, 1.06)
    labels = [f"{name} (log)" if name in log else name for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=30, ha="right", rotation_mode="anchor")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    _color_bar(figure, axes, norm, colors, SCALED_MSE, values)
    return _finished(figure)


def train_against_validation(
    train: Sequence[float] | FloatArray,
    validation: Sequence[float] | FloatArray,
    l2: Sequence[float] | FloatArray,
    title: str,
    unit: str,
) -> Figure:
    """Draw the validation RMSE of every trial over its training RMSE, coloured by its L2 penalty.

    Both errors must have been computed alike: inference mode, restored weights. Trials on the
    diagonal generalise perfectly, those above it overfit; to the upper right they underfit.

    Args:
        train: (n,) training RMSE, in `unit`.
        validation: (n,) validation RMSE, in `unit`.
        l2: (n,) strength of the L2 penalty; 0 has a marker of its own.
        title: says what is shown.
        unit: the data's unit, say "MW".

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ.
    """
    _same_length({"train": train, "validation": validation, "l2": l2})
    figure, axes = _figure(
        title, f"Training RMSE ({unit})", f"Validation RMSE ({unit})", width=7.6, height=6.2
    )
    if not len(train):
        return _nothing(figure, axes)
    train, validation, l2 = (np.asarray(c, dtype=np.float64) for c in (train, validation, l2))

    lowest = float(min(train.min(), validation.min()))
    highest = float(max(train.max(), validation.max()))
    room = 0.06 * (highest - lowest) or 0.1 * abs(highest) or 1.0
    limits = (lowest - room, highest + room)
    axes.plot(limits, limits, color=INK, linestyle="--", linewidth=1.2, label="equal errors")

    penalised = l2 > 0
    if penalised.any():
        norm, colors = _color_scale(l2[penalised].tolist()), _strong_viridis()
        axes.scatter(
            train[penalised],
            validation[penalised],
            c=l2[penalised],
            cmap=colors,
            norm=norm,
            s=46,
            edgecolors=INK,
            linewidths=0.5,
            zorder=3,
            label="L2 above 0",
        )
        label = "Strength of the L2 penalty (1)"
        _color_bar(figure, axes, norm, colors, label, l2[penalised].tolist())
    if not penalised.all():
        axes.scatter(
            train[~penalised],
            validation[~penalised],
            marker="D",
            s=46,
            facecolors="white",
            edgecolors=VERMILLION,
            linewidths=1.6,
            zorder=3,
            label="no L2 penalty",
        )
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_aspect("equal")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7))
    _legend_below(figure, axes, columns=3)
    return _finished(figure)


def png(figure: Figure) -> bytes:
    """Return the figure as an opaque PNG; the same figure always gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=DPI,
        facecolor="white",
        transparent=False,
        metadata={"Software": None},
    )
    return buffer.getvalue()


@dataclass(frozen=True)
class _ParameterAxis:
    """One axis of the parallel coordinates: where a value stands (0..1), and its ticks."""

    categories: tuple[str, ...]
    lowest: float
    highest: float
    log: bool
    foot: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: Parameter) -> float:
        if self.categories:
            return _spread(self.categories.index(str(value)), len(self.categories))
        number = float(value)
        if self.log and number <= 0:
            return 0.0
        return _height(number, self.lowest, self.highest, self.log, self.foot)


def _parameter_axis(values: Sequence[Parameter], log: bool) -> _ParameterAxis:
    if any(isinstance(value, bool | str) for value in values):
        categories = tuple(sorted({str(value) for value in values}))
        ticks = tuple(
            (_spread(i, len(categories)), name if len(name) <= 14 else f"{name[:13]}…")
            for i, name in enumerate(categories)
        )
        return _ParameterAxis(categories, 0.0, 1.0, False, 0.0, ticks)

    numbers = [float(value) for value in values]
    positive = [number for number in numbers if number > 0]
    log = log and bool(positive)
    scaled = positive if log else numbers
    lowest, highest = min(scaled), max(scaled)
    foot = 0.12 if log and len(positive) < len(numbers) else 0.0
    if lowest == highest:
        marks = [lowest]
    elif len(set(scaled)) <= 5:
        marks = sorted(set(scaled))
    elif log:
        decades = LogLocator(base=10, numticks=7).tick_values(lowest, highest)
        inside = [mark for mark in decades if lowest * 1.25 < mark < highest / 1.25]
        marks = [lowest, *inside, highest]
    else:
        whole = all(isinstance(value, int) for value in values)
        marks = list(MaxNLocator(nbins=5, integer=whole).tick_values(lowest, highest))
        lowest, highest = min(lowest, marks[0]), max(highest, marks[-1])
    ticks = tuple(
        (_height(mark, lowest, highest, log, foot), _short(float(mark))) for mark in marks
    )
    if foot:
        ticks = ((0.0, "0"), *ticks)
    return _ParameterAxis((), lowest, highest, log, foot, ticks)


def _height(number: float, lowest: float, highest: float, log: bool, foot: float) -> float:
    if lowest == highest:
        share = 0.5
    elif log:
        share = math.log(number / lowest) / math.log(highest / lowest)
    else:
        share = (number - lowest) / (highest - lowest)
    return foot + (1.0 - foot) * share


def _spread(index: int, count: int) -> float:
    return 0.5 if count == 1 else index / (count - 1)


def _figure(
    title: str, x: str, y: str, *, width: float = 8.0, height: float = 4.8
) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.add_subplot(facecolor="white")
    axes.set_title(title, fontsize=TITLE_PT, color=INK, loc="left", wrap=True, pad=10)
    axes.set_xlabel(x, fontsize=TEXT_PT + 0.5, color=INK)
    axes.set_ylabel(y, fontsize=TEXT_PT + 0.5, color=INK)
    axes.tick_params(which="both", labelsize=TEXT_PT, colors=INK)
    axes.grid(visible=True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(GREY)
        spine.set_visible(side in ("left", "bottom"))
    return figure, axes


def _finished(figure: Figure) -> Figure:
    # A "$" in a unit or a title is a dollar, not the start of a formula.
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)
    return figure


def _nothing(figure: Figure, axes: Axes) -> Figure:
    axes.text(
        0.5,
        0.5,
        "nothing to show yet",
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=TITLE_PT,
        color=GREY,
    )
    axes.tick_params(labelbottom=False, labelleft=False, length=0)
    return _finished(figure)


def _legend_below(figure: Figure, axes: Axes, columns: int, note: str = "") -> None:
    handles, labels = axes.get_legend_handles_labels()
    legend = figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(columns, len(labels)),
        fontsize=TEXT_PT,
        labelcolor=INK,
        frameon=False,
        title=note or None,
        title_fontsize=TEXT_PT,
    )
    legend.get_title().set_color(GREY)
    legend.get_title().set_multialignment("center")


def _magnitude_scale(axes: Axes, values: Sequence[float]) -> None:
    """Make the y axis logarithmic, with plain numbers; linear if a value is not above 0."""
    if not values or min(values) <= 0:
        return
    axes.set_yscale("log")
    lowest, highest = min(values), max(values)
    room = max((highest / lowest) ** 0.06, 1.1)
    lowest, highest = lowest / room, highest * room
    axes.set_ylim(lowest, highest)
    # Powers of ten alone would leave a narrow range without a tick.
    if highest / lowest > 300:
        axes.yaxis.set_major_locator(LogLocator(base=10, numticks=8))
    elif highest / lowest > 4:
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _labelled_lines(axes: Axes, references: Mapping[str, float]) -> None:
    """Draw horizontal lines, their labels right of the axes and pushed apart where they collide."""
    for value in references.values():
        axes.axhline(value, color=GREEN, linewidth=1.2, linestyle="-.", zorder=1)
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    log = axes.get_yscale() == "log"
    gap, floor = 0.058, -math.inf
    for name, value in sorted(references.items(), key=lambda reference: reference[1]):
        place = _height(value, bottom, top, log, 0.0)
        floor = max(place, floor + gap)
        axes.annotate(
            f"{name}: {value:.3g}",
            xy=(1.0, place),
            xytext=(1.025, floor),
            xycoords="axes fraction",
            textcoords="axes fraction",
            fontsize=TEXT_PT,
            color=INK,
            va="center",
            arrowprops={"arrowstyle": "-", "color": GREEN, "linewidth": 0.9, "shrinkB": 0},
        )


def _color_scale(values: Sequence[float]) -> Normalize:
    lowest, highest = min(values), max(values)
    if lowest > 0:
        return LogNorm(lowest, highest) if lowest < highest else LogNorm(lowest / 2, highest * 2)
    return Normalize(lowest, highest if lowest < highest else lowest + 1)


def _strong_viridis() -> Colormap:
    # The last tenth is a yellow too pale for white paper.
    return ListedColormap(colormaps["viridis"](np.linspace(0.0, 0.9, 256)))


def _color_bar(
    figure: Figure,
    axes: Axes,
    norm: Normalize,
    colors: Colormap,
    label: str,
    values: Sequence[float],
) -> None:
    bar = figure.colorbar(ScalarMappable(norm, colors), ax=axes, pad=0.02, aspect=30)
    bar.set_label(label, fontsize=TEXT_PT + 0.5, color=INK)
    lowest, highest = min(values), max(values)
    if lowest == highest:
        ticks = [lowest]
    elif lowest > 0 and highest / lowest > 300:
        ticks = list(LogLocator(base=10, numticks=8).tick_values(lowest, highest))
    elif lowest > 0 and highest / lowest > 3:
        ticks = list(
            LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12).tick_values(lowest, highest)
        )
    else:
        ticks = list(MaxNLocator(nbins=6).tick_values(lowest, highest))
    shown = [float(tick) for tick in ticks if lowest <= tick <= highest]
    bar.set_ticks(shown, labels=[_short(tick) for tick in shown])
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=TEXT_PT, colors=INK)


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _same_length(columns: Mapping[str, Sized]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"as many of each are needed, got {lengths}")

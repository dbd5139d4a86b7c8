"""The progress of a study, and which trials overfit or underfit."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from search.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    OCHRE,
    PURPLE,
    SCALED_MSE,
    TEXT_PT,
    VERMILLION,
    color_bar,
    color_scale,
    legend_below,
    magnitude_scale,
    new_figure,
    same_length,
    say_nothing_to_show,
)

# Marker and colour of the trials in each state.
_LOOKS = {
    "complete": ("o", BLUE),
    "pruned": ("^", OCHRE),
    "interrupted": ("P", PURPLE),
    "running": ("D", GREY),
}


def optimization_history(
    numbers: Sequence[int],
    values: Sequence[float],
    states: Sequence[str],
    references: Mapping[str, float],
    title: str,
) -> Figure:
    """Draw the validation MSE of every trial by its number, and the best so far.

    Args:
        numbers: the trial numbers.
        values: the validation MSE on the scaled target. A pruned trial has that of its best epoch.
            Failed trials have none and are not given.
        states: "complete", "pruned", "interrupted" or "running", one per trial. Only complete
            trials count for the best so far.
        references: the validation MSE of other forecasts (the baselines) by name, on the same
            scale. Each is drawn as a labelled line.
        title: the figure's title.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ or a state is unknown.
    """
    same_length({"numbers": numbers, "values": values, "states": states})
    if unknown := sorted(set(states) - set(_LOOKS)):
        raise ValueError(f"unknown trial states {unknown}; there are {', '.join(_LOOKS)}")

    figure, axes = new_figure(title, "Trial (number)", SCALED_MSE, width=10.0)
    if not numbers and not references:
        say_nothing_to_show(axes)
        return figure

    trials = sorted(zip(numbers, values, states, strict=True))
    _scatter_by_state(axes, trials)
    complete = [(number, value) for number, value, state in trials if state == "complete"]
    if complete:
        steps = [number for number, _ in complete]
        best = np.minimum.accumulate([value for _, value in complete])
        axes.step(
            [*steps, max(numbers)],
            [*best, best[-1]],
            where="post",
            color=INK,
            linewidth=1.6,
            label=f"best so far: {best[-1]:.3g}",
        )

    magnitude_scale(axes, [*values, *references.values()])
    if numbers:
        room = max(1.0, 0.03 * (max(numbers) - min(numbers)))
        axes.set_xlim(min(numbers) - room, max(numbers) + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    _labelled_lines(axes, references)
    if numbers:
        legend_below(figure, axes, columns=6)
    return figure


def train_against_validation(
    train: Sequence[float],
    validation: Sequence[float],
    l2: Sequence[float],
    title: str,
    unit: str,
) -> Figure:
    """Draw the validation RMSE of every trial over its training RMSE, coloured by its L2 penalty.

    Both errors must be measured in inference mode with restored weights. Trials on the diagonal
    generalise perfectly. Trials above it overfit. Trials to the upper right underfit.

    Args:
        train: training RMSE of each trial, in `unit`.
        validation: validation RMSE of each trial, in `unit`.
        l2: strength of the L2 penalty of each trial; 0 has its own marker.
        title: says what is shown.
        unit: the data's unit, say "MW".

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ.
    """
    same_length({"train": train, "validation": validation, "l2": l2})
    figure, axes = new_figure(
        title, f"Training RMSE ({unit})", f"Validation RMSE ({unit})", width=7.6, height=6.2
    )
    if not train:
        say_nothing_to_show(axes)
        return figure

    lowest, highest = min(*train, *validation), max(*train, *validation)
    room = 0.06 * (highest - lowest) or 0.1 * abs(highest) or 1.0
    limits = (lowest - room, highest + room)
    axes.plot(limits, limits, color=INK, linestyle="--", linewidth=1.2, label="equal errors")

    trials = list(zip(train, validation, l2, strict=True))
    _scatter_by_penalty(figure, axes, trials)
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_aspect("equal")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7))
    legend_below(figure, axes, columns=3)
    return figure


def _scatter_by_state(axes: Axes, trials: Sequence[tuple[int, float, str]]) -> None:
    """Draw trials (number, value, state); each state has its own marker and colour."""
    for state, (marker, color) in _LOOKS.items():
        if shown := [trial for trial in trials if trial[2] == state]:
            axes.scatter(
                [number for number, _, _ in shown],
                [value for _, value, _ in shown],
                s=34,
                marker=marker,
                facecolors="none" if state == "pruned" else color,
                edgecolors=color,
                linewidths=1.2,
                zorder=3,
                label=f"{state} ({len(shown)})",
            )


def _scatter_by_penalty(
    figure: Figure, axes: Axes, trials: Sequence[tuple[float, float, float]]
) -> None:
    """Draw trials (x, y, L2 penalty) coloured by the penalty; those without one stand out."""
    if penalised := [trial for trial in trials if trial[2] > 0]:
        _coloured_by_strength(figure, axes, penalised)
    if free := [trial for trial in trials if trial[2] <= 0]:
        x, y, _ = zip(*free, strict=True)
        axes.scatter(
            x,
            y,
            marker="D",
            s=46,
            facecolors="white",
            edgecolors=VERMILLION,
            linewidths=1.6,
            zorder=3,
            label="no L2 penalty",
        )


def _coloured_by_strength(
    figure: Figure, axes: Axes, trials: Sequence[tuple[float, float, float]]
) -> None:
    """Draw trials (x, y, L2 penalty above 0), coloured by the penalty, with its scale."""
    x, y, strengths = zip(*trials, strict=True)
    norm, colors = color_scale(strengths)
    axes.scatter(
        x,
        y,
        c=strengths,
        cmap=colors,
        norm=norm,
        s=46,
        edgecolors=INK,
        linewidths=0.5,
        zorder=3,
        label="L2 above 0",
    )
    color_bar(figure, axes, norm, colors, "Strength of the L2 penalty (1)", strengths)


def _labelled_lines(axes: Axes, references: Mapping[str, float]) -> None:
    """Draw horizontal lines with labels right of the axes; colliding labels are moved apart."""
    for value in references.values():
        axes.axhline(value, color=GREEN, linewidth=1.2, linestyle="-.", zorder=1)
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    to_fraction = axes.transScale + axes.transLimits
    gap, floor = 0.058, -math.inf
    for name, value in sorted(references.items(), key=lambda reference: reference[1]):
        place = float(to_fraction.transform((0.0, value))[1])
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

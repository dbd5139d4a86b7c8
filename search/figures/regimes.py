"""Trials by fit regime: train against validation error, and typical learning curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from search.figures.canvas import (
    BLUE,
    GREEN,
    INK,
    LABEL_PT,
    VERMILLION,
    dress_panel,
    legend_below,
    magnitude_scale,
    new_figure,
    new_panels,
    same_length,
    say_nothing_to_show,
)

_LOOKS = {
    "underfit": ("v", VERMILLION),
    "balanced": ("o", BLUE),
    "overfit": ("^", GREEN),
}


def trials_by_regime(
    train: Sequence[float],
    validation: Sequence[float],
    regimes: Sequence[str],
    words: Mapping[str, str],
) -> Figure:
    """Draw one marker per trial.

    Args:
        train: RMSE on the training windows, in the data's unit.
        validation: the same on the validation windows.
        regimes: "underfit", "balanced" or "overfit", one per trial.
        words: "title", "x", "y" and "equal", and a name for each regime.
    """
    same_length({"train": train, "validation": validation, "regimes": regimes})
    figure, axes = new_figure(words["title"], words["x"], words["y"])
    if not train:
        say_nothing_to_show(axes)
        return figure
    for regime, (marker, color) in _LOOKS.items():
        chosen = [at for at, one in enumerate(regimes) if one == regime]
        if chosen:
            axes.scatter(
                [train[at] for at in chosen],
                [validation[at] for at in chosen],
                s=38,
                marker=marker,
                color=color,
                edgecolor=INK,
                linewidth=0.5,
                label=f"{words[regime]} ({len(chosen)})",
            )
    errors = [*train, *validation]
    ends = [min(errors) / 2, max(errors) * 2]
    axes.plot(ends, ends, color=INK, linestyle="--", label=words["equal"])
    magnitude_scale(axes, errors, "xy")
    legend_below(figure, axes, columns=4)
    return figure


@dataclass(frozen=True)
class LearningCurve:
    """One trial's losses by epoch, in units of the scaled target squared; `heading` names it."""

    heading: str
    loss: Sequence[float]
    val_mse: Sequence[float]


def learning_curves(curves: Sequence[LearningCurve], words: Mapping[str, str]) -> Figure:
    """Draw trials side by side on one logarithmic scale.

    Args:
        curves: at least one, each of one epoch or more.
        words: "title", "x", "y", "loss", "val_mse" and "note".

    Raises:
        ValueError: there is no curve, or one without an epoch.
    """
    if not curves or not all(curve.loss and curve.val_mse for curve in curves):
        raise ValueError("learning curves need at least one trial of one epoch or more")
    figure, ((*grid,),) = new_panels(1, len(curves), 4.4, words["title"])
    for axes, curve in zip(grid, curves, strict=True):
        for values, label, color, style in (
            (curve.loss, words["loss"], VERMILLION, "--"),
            (curve.val_mse, words["val_mse"], BLUE, "-"),
        ):
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=color, linestyle=style, linewidth=1.8, label=label)
        dress_panel(axes, curve.heading, words["x"])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    grid[0].set_ylabel(words["y"], fontsize=LABEL_PT, color=INK)
    drawn = [value for curve in curves for value in (*curve.loss, *curve.val_mse)]
    magnitude_scale(grid[0], drawn)
    legend_below(figure, grid[0], columns=2, note=words["note"])
    return figure

"""Train against validation error of all trials, by fit regime."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from search.figures.canvas import (
    BLUE,
    GREEN,
    INK,
    VERMILLION,
    legend_below,
    new_figure,
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
    """Draw one marker a trial.

    Args:
        train: RMSE on the training windows, in the data's unit.
        validation: the same on the validation windows.
        regimes: "underfit", "balanced" or "overfit", one a trial.
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
    reach = max(*train, *validation) * 1.05
    axes.plot([0, reach], [0, reach], color=INK, linestyle="--", label=words["equal"])
    axes.set_xlim(0, reach)
    axes.set_ylim(0, reach)
    legend_below(figure, axes, columns=4)
    return figure

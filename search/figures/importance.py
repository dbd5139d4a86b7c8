"""Which parameters decide the validation error."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from search.figures.canvas import (
    BLUE,
    INK,
    TEXT_PT,
    new_figure,
    same_length,
    say_nothing_to_show,
)


def importance(
    names: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    title: str,
) -> Figure:
    """Draw how much each parameter decides, most important first.

    Args:
        names: the parameters.
        values: their importance, shares of 1.
        intervals: the 95 % interval of each, low and high, around its value.
        title: says what is shown.

    Returns:
        The figure.

    Raises:
        ValueError: if the lengths differ.
    """
    same_length({"names": names, "values": values, "intervals": intervals})
    figure, axes = new_figure(
        title,
        "Importance (share of 1; line: 95 % interval)",
        "Parameter (name)",
        height=max(2.6, 1.6 + 0.34 * len(names)),
    )
    axes.grid(visible=False, axis="y")
    if not names:
        say_nothing_to_show(axes)
        return figure

    ordered = sorted(zip(values, intervals, names, strict=True), key=lambda one: -one[0])
    places = range(len(ordered))
    axes.barh(
        places,
        [value for value, _, _ in ordered],
        # With few resamples the mean may lie outside the interval.
        xerr=[
            [max(value - low, 0.0) for value, (low, _), _ in ordered],
            [max(high - value, 0.0) for value, (_, high), _ in ordered],
        ],
        height=0.62,
        color=BLUE,
        ecolor=INK,
        capsize=3,
    )
    for place, (value, (_, high), _) in zip(places, ordered, strict=True):
        axes.annotate(
            f"{value:.2f}",
            (max(value, high), place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=TEXT_PT,
            color=INK,
        )
    axes.set_yticks(places, [name for _, _, name in ordered])
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    highest = max(*values, *(high for _, high in intervals), 1e-9)
    axes.set_xlim(min(0.0, *values), highest * 1.12)
    return figure

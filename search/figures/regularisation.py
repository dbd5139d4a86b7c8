"""Train and validation error against the strength of regularisation, one panel per network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from search.figures.canvas import (
    BLUE,
    GREEN,
    INK,
    LABEL_PT,
    PURPLE,
    VERMILLION,
    dress_panel,
    legend_below,
    magnitude_scale,
    new_panels,
    short,
)

FloatArray = npt.NDArray[np.float64]
# L2 beside dropout, one row per network.
COLUMNS = 2
# On a logarithmic scale, a band that reaches below 0 ends at this share of the mean.
_ABOVE_ZERO = 1e-3


@dataclass(frozen=True)
class Panel:
    """One network with rising regularisation.

    Attributes:
        heading: names network and kind. axis: label of the strengths, unit included.
        strengths: n values, rising.
        train, validation: float64 (n, 3): mean RMSE over seeds, lower and upper end of its band.
        lowest: index of the lowest validation error.
    """

    heading: str
    axis: str
    strengths: Sequence[float]
    train: FloatArray
    validation: FloatArray
    lowest: int


@dataclass(frozen=True)
class Words:
    """What the figure says, in the reader's language."""

    title: str
    error: str
    train: str
    validation: str
    lowest: str
    best: str
    floor: str
    note: str


def regularisation(
    panels: Sequence[Panel], best: float | None, words: Words, floor: float | None = None
) -> Figure:
    """Draw the panels side by side on one logarithmic scale of error.

    Strengths are drawn at equal distances, because they begin at 0 and span decades.

    Args:
        panels: at least one.
        best: lowest validation RMSE of a search, drawn as a line for comparison, or None.
        words: title, labels and note.
        floor: validation RMSE of the strongest baseline, also drawn as a line, or None.

    Raises:
        ValueError: there is no panel, or one whose arrays do not fit its strengths.
    """
    if not panels:
        raise ValueError("expected at least one panel, found none")
    for panel in panels:
        expected = (len(panel.strengths), 3)
        if panel.train.shape != expected or panel.validation.shape != expected:
            raise ValueError(
                f"panel {panel.heading!r} needs arrays of shape {expected}, found "
                f"{panel.train.shape} and {panel.validation.shape}"
            )
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = new_panels(rows, columns, 3.0 * rows + 1.2, words.title)
    errors = [float(e) for p in panels for one in (p.train, p.validation) for e in one[:, 0]]
    errors += [line for line in (best, floor) if line is not None]
    for at, axes in enumerate(grid.ravel()):
        if at >= len(panels):
            axes.set_visible(False)
            continue
        _draw(axes, panels[at], best, floor, words)
        # With few seeds the interval may reach far beyond all errors, and below 0.
        magnitude_scale(axes, errors)
        if at % columns == 0:
            axes.set_ylabel(words.error, fontsize=LABEL_PT, color=INK)
    legend_below(figure, grid[0, 0], columns=2, note=words.note)
    return figure


def _draw(axes: Axes, panel: Panel, best: float | None, floor: float | None, words: Words) -> None:
    places = np.arange(len(panel.strengths))
    for values, label, color, style, marker in (
        (panel.train, words.train, VERMILLION, "--", "s"),
        (panel.validation, words.validation, BLUE, "-", "o"),
    ):
        low = np.maximum(values[:, 1], _ABOVE_ZERO * values[:, 0])
        axes.fill_between(places, low, values[:, 2], color=color, alpha=0.18, linewidth=0)
        axes.plot(
            places,
            values[:, 0],
            color=color,
            linestyle=style,
            marker=marker,
            markersize=4,
            linewidth=1.8,
            label=label,
        )
    axes.plot(
        panel.lowest,
        panel.validation[panel.lowest, 0],
        marker="*",
        markersize=13,
        color=INK,
        linestyle="none",
        label=words.lowest,
    )
    if best is not None:
        axes.axhline(best, color=GREEN, linestyle=":", linewidth=1.6, label=words.best)
    if floor is not None:
        axes.axhline(floor, color=PURPLE, linestyle="-.", linewidth=1.6, label=words.floor)
    dress_panel(axes, panel.heading, panel.axis)
    axes.set_xticks(places, [short(strength) for strength in panel.strengths])

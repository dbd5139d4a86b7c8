"""The way from one network to another as a waterfall, with the errors at each step beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from search.figures.canvas import (
    BLUE,
    DPI,
    GREEN,
    GREY,
    GRID,
    INK,
    LABEL_PT,
    TEXT_PT,
    TITLE_PT,
    VERMILLION,
    write_beside,
)

# An interval is drawn up to this multiple of the largest error.
_ROOM = 1.15
# Of a step whose interval includes 0.
_PALE = "#bdbdbd"


@dataclass(frozen=True)
class Network:
    """A network on the way: RMSE in the data's unit, and its fit regime in words."""

    train: float
    validation: float
    regime: str


@dataclass(frozen=True)
class Bar:
    """A step: what was changed, the effect on the validation RMSE in words, and the new network.

    `low` and `high` are the ends of the effect's interval, in the data's unit, or None.
    """

    label: str
    effect: str
    low: float | None
    high: float | None
    network: Network


@dataclass(frozen=True)
class Words:
    """What the figure says, in the reader's language; `start` and `goal` name the networks.

    `decimals` are those of both networks' errors.
    """

    title: str
    start: str
    goal: str
    x: str
    errors: str
    train: str
    validation: str
    unit: str
    decimals: int


def waterfall(first: Network, bars: Sequence[Bar], words: Words) -> Figure:
    """Draw one bar per step, from the error before it to the error after it.

    Args:
        first: the network at the start.
        bars: the steps, one or more.
        words: title, labels and unit.

    Raises:
        ValueError: there is no step.
    """
    if not bars:
        raise ValueError("a waterfall needs at least one step")
    rows = len(bars) + 2
    figure = Figure(
        figsize=(13.0, 0.31 * rows + 1.2), dpi=DPI, facecolor="white", layout="constrained"
    )
    figure.suptitle(words.title, fontsize=TITLE_PT, color=INK, x=0.01, ha="left")
    steps, errors = figure.subplots(1, 2, sharey=True, width_ratios=(5, 2))
    networks = [first, *(bar.network for bar in bars)]
    _draw_steps(steps, networks, bars, words)
    _draw_errors(errors, [*networks, networks[-1]], words)
    labels = [words.start, *(bar.label for bar in bars), words.goal]
    steps.set_yticks(range(rows), labels, fontsize=TEXT_PT)
    steps.invert_yaxis()
    for axes, label in ((steps, words.x), (errors, words.errors)):
        axes.set_xlabel(label, fontsize=LABEL_PT, color=INK)
        axes.tick_params(labelsize=TEXT_PT, colors=INK)
        axes.grid(color=GRID, linewidth=0.7, axis="x")
        axes.set_axisbelow(True)
        axes.set_xlim(left=0)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return figure


def _draw_steps(axes: Axes, networks: Sequence[Network], bars: Sequence[Bar], words: Words) -> None:
    widest = max(network.validation for network in networks)
    # With few seeds the interval may reach far beyond all errors, and into the text.
    most = _ROOM * widest
    for row, network in ((0, networks[0]), (len(networks), networks[-1])):
        axes.barh(row, network.validation, color=GREY, height=0.62)
        _write_at_edge(axes, f"{network.validation:.{words.decimals}f} {words.unit}", row)
    for row, (before, bar) in enumerate(zip(networks, bars, strict=False), start=1):
        start, end = before.validation, bar.network.validation
        color = GREEN if end < start else VERMILLION
        if bar.low is None or bar.high is None or bar.low <= 0 <= bar.high:
            color = _PALE
        axes.barh(row, end - start, left=start, color=color, height=0.62)
        if bar.low is not None and bar.high is not None:
            ends = [min(max(start + one, 0.0), most) for one in (bar.low, bar.high)]
            axes.plot(ends, [row, row], color=INK, linewidth=1.4)
        _write_at_edge(axes, bar.effect, row)
    axes.set_xlim(right=1.7 * widest)


def _draw_errors(axes: Axes, networks: Sequence[Network], words: Words) -> None:
    rows = range(len(networks))
    for values, color, style, marker, label in (
        ([one.train for one in networks], VERMILLION, "--", "s", words.train),
        ([one.validation for one in networks], BLUE, "-", "o", words.validation),
    ):
        axes.plot(
            values, rows, color=color, linestyle=style, marker=marker, markersize=4, label=label
        )
    for row, network in zip(rows, networks, strict=True):
        write_beside(axes, network.regime, max(network.train, network.validation), row)
    axes.set_xlim(right=1.6 * max(max(one.train, one.validation) for one in networks))
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1, fontsize=TEXT_PT, frameon=False
    )


def _write_at_edge(axes: Axes, text: str, row: int) -> None:
    """Write at the right edge of the axes, so that all effects are in one column."""
    axes.text(
        0.995,
        row,
        text,
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center",
        fontsize=TEXT_PT,
        color=INK,
    )

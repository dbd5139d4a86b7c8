"""The curves along each setting as one figure."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from search.figures.regularisation import Panel, Words, regularisation
from search.results.axes import Band, Curve

FloatArray = npt.NDArray[np.float64]

PANEL_WIDTH = 40  # characters of a heading that fit above a panel

# The figure's words in English. The report has the same keys in each of its languages.
WORDS = {
    "tradeoff": "Error along each setting",
    "axis_l2": "L2 penalty (no unit)",
    "axis_dropout": "Dropout rate (no unit)",
    "axis_epochs": "Epochs trained",
    "axis_units": "Units of the layer",
    "axis_weeks": "Weeks of training windows",
    "network_level": "learns the level",
    "network_change": "learns the change",
    "network": "units {units}",
    "network_weeks": "{weeks} weeks",
    "network_epochs": "{epochs} epochs",
    "bands": "Bands: 95 % interval over seeds, if several.",
    "rmse_axis": "RMSE ({unit})",
    "train": "training windows",
    "validation": "validation windows",
    "lowest": "lowest validation error",
    "search_best": "best trial of a search",
    "strongest_baseline": "strongest baseline",
}


def network(curve: Curve, words: Mapping[str, str] = WORDS) -> str:
    """The common settings of a curve's networks, in words."""
    shared = [words[f"network_{curve.target}"]]
    if curve.units:
        shared.append(words["network"].format(units="/".join(map(str, curve.units))))
    if curve.weeks is not None:
        shared.append(words["network_weeks"].format(weeks=f"{curve.weeks:.3g}"))
    if curve.epochs is not None:
        shared.append(words["network_epochs"].format(epochs=curve.epochs))
    return ", ".join(shared)


def axes_figure(
    curves: Sequence[Curve],
    unit: str,
    best: float | None = None,
    floor: float | None = None,
    words: Mapping[str, str] = WORDS,
) -> Figure:
    """Draw one panel per curve.

    Args:
        curves: at least one.
        unit: the data's unit.
        best: lowest validation RMSE of a search, drawn for comparison, or None.
        floor: validation RMSE of the strongest baseline, drawn for comparison, or None.
        words: the words of a language, see `WORDS`.
    """
    said = Words(
        title=words["tradeoff"],
        error=words["rmse_axis"].format(unit=unit),
        train=words["train"],
        validation=words["validation"],
        lowest=words["lowest"],
        best=words["search_best"],
        floor=words["strongest_baseline"],
        note=words["bands"],
    )
    return regularisation([_panel(curve, words) for curve in curves], best, said, floor)


def _panel(curve: Curve, words: Mapping[str, str]) -> Panel:
    return Panel(
        heading=textwrap.fill(network(curve, words), PANEL_WIDTH),
        axis=words[f"axis_{curve.axis}"],
        strengths=[level.value for level in curve.levels],
        train=_bands([level.train for level in curve.levels]),
        validation=_bands([level.validation for level in curve.levels]),
        lowest=curve.lowest,
    )


def _bands(bands: Sequence[Band]) -> FloatArray:
    return np.array([[one.mean, one.low, one.high] for one in bands])

"""A series as it was read, with the filled hours marked."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from search.figures.canvas import BLUE, TEXT_PT, VERMILLION, legend_below, new_figure

FloatArray = npt.NDArray[np.float64]


def readings(
    local: pd.DatetimeIndex,
    target: FloatArray,
    filled: npt.NDArray[np.bool_],
    unit: str,
    title: str,
) -> Figure:
    """Draw a series.

    Args:
        local: n clock times.
        target: float64 (n,), in `unit`.
        filled: bool (n,), hours in which a value was filled in.
        unit: The target's unit.
        title: The figure's title.
    """
    figure, axes = new_figure(title, "Time (hourly, the data's clock)", unit, width=12.0)
    clock = date2num(local.to_pydatetime())  # type: ignore[no-untyped-call]
    axes.plot(clock, target, color=BLUE, linewidth=0.9, label="as read")
    if filled.any():
        axes.plot(
            clock[filled],
            target[filled],
            "v",
            color=VERMILLION,
            markersize=5,
            label=f"filled in, {int(filled.sum())} hours",
        )
    locator = AutoDateLocator(minticks=3, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_fontsize(TEXT_PT)
    axes.margins(x=0.01)
    legend_below(figure, axes, columns=2)
    return figure

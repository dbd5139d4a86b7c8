"""The last measured days and the forecast of the hours after them."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from search.figures.canvas import BLUE, INK, TEXT_PT, VERMILLION, legend_below, new_figure

FloatArray = npt.NDArray[np.float64]

HOURS_BEFORE = 168


def outlook(
    times: pd.DatetimeIndex,
    actual: FloatArray,
    ahead: pd.DatetimeIndex,
    forecast: FloatArray,
    low: FloatArray,
    high: FloatArray,
    unit: str,
    title: str,
) -> Figure:
    """Draw the last 168 hours and the forecast with its 90 % interval.

    Args:
        times: (n,) measured hours, clock times without zone, oldest first.
        actual: float64 (n,), in `unit`.
        ahead: (h,) forecast hours.
        forecast: float64 (h,), in `unit`.
        low: lower ends, float64 (h,).
        high: upper ends, float64 (h,).
        unit: the data's unit.
        title: the figure's title.
    """
    figure, axes = new_figure(
        title, "Time (hourly, the data's clock)", f"Usage ({unit})", width=10.0
    )
    clock = date2num(times[-HOURS_BEFORE:].to_pydatetime())  # type: ignore[no-untyped-call]
    coming = date2num(ahead.to_pydatetime())  # type: ignore[no-untyped-call]
    axes.plot(clock, actual[-HOURS_BEFORE:], color=INK, linewidth=1.8, label="actual")
    axes.errorbar(
        coming,
        forecast,
        yerr=[forecast - low, high - forecast],
        fmt="o-",
        markersize=4,
        color=VERMILLION,
        ecolor=BLUE,
        elinewidth=1.4,
        capsize=2,
        label="forecast, with its 90 % interval",
    )
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_fontsize(TEXT_PT)
    axes.margins(x=0.02)
    legend_below(figure, axes, columns=2)
    return figure

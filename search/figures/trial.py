"""What one trial learned: its loss by epoch, its errors by hour of day."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from search.figures.canvas import (
    BLUE,
    GREY,
    INK,
    PURPLE,
    VERMILLION,
    legend_below,
    magnitude_scale,
    new_figure,
    same_length,
    say_nothing_to_show,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def loss_curves(history: Mapping[str, Sequence[float]], best_epoch: int, title: str) -> Figure:
    """Draw training and validation loss by epoch on a log axis, and mark the best epoch.

    Args:
        history: values by epoch, in units of the scaled target squared: "loss" (training, with
            penalty and dropout), "val_loss" (with penalty), "val_mse" (without). Other keys, such
            as "learning_rate", are not drawn. Keys may be missing.
        best_epoch: the epoch whose weights were kept, counted from 1; not marked if there is no
            such epoch.
        title: says what is shown.

    Returns:
        The figure.
    """
    figure, axes = new_figure(title, "Epoch (counted from 1)", "Loss (scaled target squared, 1)")
    curves = [
        ("loss", "training loss, with penalty and dropout", VERMILLION, "--", "s"),
        ("val_loss", "validation loss, with penalty", PURPLE, "-.", "^"),
        ("val_mse", "validation MSE, without penalty", BLUE, "-", "o"),
    ]
    if list(history.get("val_loss", ())) == list(history.get("val_mse", ())):
        # Without a penalty the two curves are equal, and one would hide the other.
        del curves[1]
        curves[1] = ("val_mse", "validation loss and MSE (no penalty)", BLUE, "-", "o")
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
        say_nothing_to_show(axes)
        return figure

    magnitude_scale(axes, drawn)
    if 1 <= best_epoch <= epochs:
        axes.axvline(
            best_epoch, color=INK, linestyle=":", linewidth=1.4, label=f"best epoch: {best_epoch}"
        )
    axes.set_xlim(0.5, epochs + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    legend_below(
        figure,
        axes,
        columns=2,
        note="The training loss is measured with dropout on, during the epoch and with the "
        "penalty:\nit is not comparable with the validation curves.",
    )
    return figure


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
    same_length({"hours": hours, "residuals": residuals})
    figure, axes = new_figure(
        title, "Hour of day (h)", f"Forecast minus actual ({unit})", width=10.0
    )
    axes.set_xlim(-0.7, 23.7)
    axes.set_xticks(range(24))
    axes.grid(visible=False, axis="x")
    if not len(hours):
        say_nothing_to_show(axes)
        return figure
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
    legend_below(
        figure,
        axes,
        columns=1,
        note="Box: middle half, with the median; whiskers: up to 1.5 box heights; dots: beyond.\n"
        "Below the line the forecast is too low.",
    )
    return figure

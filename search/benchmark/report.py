"""The report on a benchmark: lines of text and one figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from search.benchmark.measures import (
    Ratio,
    best_so_far,
    best_until,
    paired_ratio,
    seconds_until,
    trial_seconds,
)
from search.benchmark.turns import Epoch
from search.figures.canvas import (
    BLUE,
    GREEN,
    OCHRE,
    SCALED_MSE,
    VERMILLION,
    legend_below,
    magnitude_scale,
    new_figure,
)
from search.results.paired_tests import t_interval

_STYLES = {
    "ours": (BLUE, "-"),
    "stock": (VERMILLION, "--"),
    "hyperband": (GREEN, "-."),
    "bayesian": (OCHRE, ":"),
}


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the benchmark as text: single steps, the whole machine, the race."""
    return [
        *(*_step_lines(found["steps"]), "", *_machine_lines(found), "", *_race_lines(found)),
        *_estimate_lines(found),
    ]


def _step_lines(steps: Mapping[str, Any]) -> list[str]:
    seconds, flops = steps["seconds"], steps["flops"]
    speed = {name: flops[name] / float(np.median(seconds[name])) for name in seconds}
    shown = [
        "Training step, CPU time of one thread, 168 hours, 6 columns (median)",
        f"{'units x batch':<16}{'kernels ms':>11}{'fused ms':>10}{'stock ms':>10}"
        f"{'of product':>12}   fused / kernels; stock / kernels",
    ]
    for name in seconds:
        kind, _, size = name.partition(" ")
        if kind != "kernels":
            continue
        ours, fused, stock = (seconds[f"{kind} {size}"] for kind in ("kernels", "fused", "stock"))
        times = "".join(
            f"{1e3 * np.median(one):>{width}.1f}"
            for one, width in ((ours, 11), (fused, 10), (stock, 10))
        )
        shown.append(
            f"{size:<16}{times}{speed[name] / speed['product']:>12.0%}   "
            f"{paired_ratio(fused, ours)}; {paired_ratio(stock, ours)}"
        )
    product = speed["product"] / 1e9
    return [*shown, f"Matrix product of 1024 x 1024 on the same thread: {product:.1f} GFLOP/s"]


def _machine_lines(found: Mapping[str, Any]) -> list[str]:
    ratio = Ratio(**found["epochs_per_second_ratio"])
    each = found["seconds_per_epoch"]
    return [
        f"Whole machine, the same {len(found['points'])} configurations, ours with "
        f"{found['workers']} worker(s), stock with every core for one fit",
        f"seconds per epoch, median over configurations: ours "
        f"{np.median(list(each['ours'].values())):.2f} in each worker, "
        f"stock {np.median(list(each['stock'].values())):.2f}",
        f"epochs per second, ours / stock: {ratio}, from stock's "
        "seconds over ours / workers, so with all workers busy",
    ]


def _race_lines(found: Mapping[str, Any]) -> list[str]:
    race = {name: one | {"said": _said(one)} for name, one in found["search"].items()}
    alike = min(one["seconds"] for one in race.values())
    shown = [
        "Search (seconds of wall time, start-up included; best: validation MSE, scaled)",
        f"{'':<12}{'seconds':>8}{'trials*':>8}{'epochs':>8}{'epochs/s':>10}{'GFLOP/s':>9}"
        f"{'best':>11}{f'after {alike:.0f} s':>14}{'s to stock best':>17}",
    ]
    target = race["stock"]["best_val_mse"]
    for name, one in race.items():
        reached = None if target is None else seconds_until(one["said"], target)
        bests = (one["best_val_mse"], best_until(one["said"], alike))
        best, then = ("-" if value is None else f"{value:.6f}" for value in bests)
        shown.append(
            f"{name:<12}{one['seconds']:>8.0f}{one['trials']:>8}"
            f"{one['epochs']:>8}{one['epochs_per_second']:>10.3f}"
            f"{one['gflops']:>9.2f}{best:>11}{then:>14}"
            f"{'never' if reached is None else f'{reached:.0f}':>17}"
        )
    shown.append("* with at least one finished epoch")
    if target is not None:
        ours = seconds_until(race["ours"]["said"], target)
        theirs = seconds_until(race["stock"]["said"], target)
        assert theirs is not None  # it reached its own best
        if ours is None:
            shown.append("Ours has not reached the best error of the stock loop.")
        else:
            shown.append(
                f"Ours reached the stock loop's best error in {ours / theirs:.2f} times the stock "
                "loop's time. One race and one seed: no interval."
            )
    return shown


def _estimate_lines(found: Mapping[str, Any]) -> list[str]:
    """The time of the stock loop for as many trials as ours, if both counted trials."""
    asked = found.get("trials")
    if not asked:
        return []
    ours, stock = (found["search"][name] for name in ("ours", "stock"))
    count = asked["ours"]
    each, target = trial_seconds(_said(stock)), ours["best_val_mse"]
    if len(each) < 2 or target is None:
        return ["", "Too few trials to estimate how long the stock loop would take."]
    mean, (low, high) = float(np.mean(each)), t_interval(each)
    whole = count * mean
    reached = seconds_until(_said(ours), target)
    assert reached is not None  # its own best
    return [
        "",
        f"The stock loop's {stock['trials']} trials took {mean:.0f} s each (95 % {low:.0f} to "
        f"{high:.0f}), so {count} of them would take {whole / 3600:.1f} h "
        f"({count * low / 3600:.1f} to {count * high / 3600:.1f}). "
        f"Ours reached {target:.6f}, the best of its {count} trials, in {reached:.0f} s. If the "
        f"stock loop's {count} trials reached the same error, ours took "
        f"1 / {whole / reached:.1f} of its time (1 / {count * low / reached:.1f} to 1 / "
        f"{count * high / reached:.1f}; the interval covers the lengths of trials, not race and "
        "seed).",
    ]


def _said(one: Mapping[str, Any]) -> list[Epoch]:
    return [Epoch(**epoch) for epoch in one["epochs_said"]]


def figure(found: Mapping[str, Any]) -> Figure:
    """Draw the best validation error so far against each contender's wall time."""
    drawn, axes = new_figure(
        "Best validation error so far",
        "Wall time of the contender's turns, start-up included (s)",
        SCALED_MSE,
    )
    values: list[float] = []
    for name, one in found["search"].items():
        steps: Sequence[tuple[float, float]] = best_so_far(_said(one))
        if not steps:
            continue
        color, style = _STYLES[name]
        times = [at for at, _ in steps] + [one["seconds"]]
        errors = [error for _, error in steps] + [steps[-1][1]]
        axes.step(times, errors, where="post", color=color, linestyle=style, label=name)
        values += errors
    if values:
        magnitude_scale(axes, values)
        legend_below(drawn, axes, columns=4)
    return drawn

"""The report on the floor: tables of its cells, and one figure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from experiments.catalogue import CATALOGUE
from search.benchmark.floor import EXPERIMENT
from search.figures.canvas import new_figure
from search.results.summary import amount

_SPENT = "trials, epochs at most; finalists x seeds x folds"


def lines(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cells as Markdown, one row each: baselines, networks, and coverage of intervals."""
    names = list(cells[0]["baselines"])
    said = [f"RMSE of the baselines on the test hours, {cells[0]['unit']}:", ""]
    said += _table(cells, names, _strongest_bold)
    networks = list(dict.fromkeys(name for cell in cells for name in cell["networks"]))
    if networks:
        said += [
            "",
            f"RMSE of networks on the same hours, {cells[0]['unit']}; in brackets the network "
            "minus the strongest baseline, with its 95 % interval:",
            "",
            *_table(cells, [*networks, _SPENT], _network_cell),
        ]
    said += [
        "",
        "Covered by the 90 % intervals: all test hours, their last quarter, and, for longer "
        "horizons, the lowest to the highest step:",
        "",
        *_table(cells, [*names, *(["search"] if "search" in networks else [])], _shares),
    ]
    return said


def _table(
    cells: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    shown: Callable[[Mapping[str, Any], str], str],
) -> list[str]:
    rows = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for cell in cells:
        values = " | ".join(shown(cell, column) for column in columns)
        rows.append(f"| {cell['period']}, {cell['horizon']} h | {values} |")
    return rows


def _strongest_bold(cell: Mapping[str, Any], name: str) -> str:
    errors = {one: row["rmse"] for one, row in cell["baselines"].items()}
    shown = amount(errors[name])
    return f"**{shown}**" if errors[name] == min(errors.values()) else shown


def _network_cell(cell: Mapping[str, Any], name: str) -> str:
    if name == _SPENT:
        return _spent(cell.get("made"))
    row = cell["networks"].get(name)
    if row is None:
        return "-"
    apart = row["difference"]
    span = f"{amount(apart['low'], '+')} to {amount(apart['high'], '+')}"
    return f"{amount(row['rmse'])} ({amount(apart['difference'], '+')}, {span})"


def _spent(made: Mapping[str, Any] | None) -> str:
    if made is None:
        return "-"
    epochs = made["epochs"] or CATALOGUE[EXPERIMENT].epochs
    return f"{made['trials']}, {epochs}; {' x '.join(map(str, made['retest']))}"


def _shares(cell: Mapping[str, Any], name: str) -> str:
    row = (cell["baselines"] | cell["networks"]).get(name)
    if row is None:
        return "-"
    shares = row["covered"]
    steps = shares["steps"]
    span = f", {min(steps):.1%} to {max(steps):.1%}" if len(steps) > 1 else ""
    return f"{shares['share']:.1%}, {shares['last_quarter']:.1%}{span}"


def figure(cells: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw every forecaster's RMSE over that of the strongest baseline, one column per cell."""
    drawn, axes = new_figure(
        "Error over that of the strongest baseline, test hours",
        "period and hours ahead",
        "RMSE / RMSE of the strongest baseline (no unit)",
        width=10.0,
    )
    rows = [(index, cell) for index, cell in enumerate(cells)]
    names = [*cells[0]["baselines"], *dict.fromkeys(n for c in cells for n in c["networks"])]
    markers = "ov^s<D>PX*h"
    for position, name in enumerate(names):
        points = []
        for index, cell in rows:
            everybody = cell["baselines"] | cell["networks"]
            if name in everybody:
                least = min(row["rmse"] for row in cell["baselines"].values())
                points.append((index, everybody[name]["rmse"] / least))
        if points:
            x, y = zip(*points, strict=True)
            axes.scatter(x, y, label=name, marker=markers[position % len(markers)], s=40)
    axes.axhline(1.0, color="0.4", linewidth=1.0)
    axes.set_yscale("log")
    axes.set_xticks(range(len(cells)), [cell["cell"] for cell in cells])
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return drawn

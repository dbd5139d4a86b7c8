"""Which pruner finds the lowest validation error in the same time?

    python -m search.benchmark.pruners --seeds 20

By replay, see `search.benchmark.replay_contest`.
"""

import json
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from search.benchmark import options
from search.benchmark.measures import paired_ratio
from search.benchmark.replay_contest import Contest, Contestant, play, shown, surrogate_line
from search.common.drawing import OPTUNA, Drawing

SAMPLER = "tpe"
TRIALS = 50


def with_pruner(pruner: str, warm_up: int) -> Contestant:
    """The default search with that pruner, and the epochs before it may prune."""
    return Contestant(f"{pruner}, {warm_up} epochs", Drawing(OPTUNA, SAMPLER, pruner), warm_up)


NONE = Contestant("none", Drawing(OPTUNA, SAMPLER, "none"))
CONTESTANTS = (
    NONE,
    *(
        with_pruner(pruner, warm_up)
        for pruner in ("median", "quartile", "halving", "hyperband", "patient")
        for warm_up in (4, 8)
    ),
)


def table(contest: Contest, minutes: Sequence[float]) -> list[dict[str, Any]]:
    """One row a contestant; errors are RMSE in the data's unit.

    `ratios` are paired by seed, contestant over no pruning, below 1 where it is better. `missed` is
    the share of seeds in which a pruned trial would have come out best. `at_50` is the RMSE after
    50 trials, `minutes_50` the time to get there, `ratio_50` that RMSE over the one without
    pruning; None if a seed does not.
    """
    rows = []
    # RMSE after 50 trials by seed, of those that came so far with every seed.
    whole: dict[Contestant, list[float]] = {}
    for one, played in contest.played.items():
        reached = [found.steps[TRIALS - 1] for found in played if len(found.steps) >= TRIALS]
        all_whole = len(reached) == len(played)
        if all_whole:
            whole[one] = [contest.to_unit * float(np.sqrt(error)) for _, error in reached]
        rows.append(
            {
                "pruner": one.name,
                "trials": float(np.mean([len(found.steps) for found in played])),
                "pruned": float(np.mean([found.pruned / len(found.steps) for found in played])),
                "errors": [contest.mean_rmse(one, minute) for minute in minutes],
                "ratios": [
                    None if one == NONE else contest.ratio(one, NONE, minute) for minute in minutes
                ],
                "missed": float(np.mean([found.missed < found.steps[-1][1] for found in played])),
                "minutes_50": (
                    float(np.mean([ended for ended, _ in reached])) / 60 if all_whole else None
                ),
                "at_50": float(np.exp(np.log(whole[one]).mean())) if all_whole else None,
                "ratio_50": None,
            }
        )
    for one, row in zip(contest.played, rows, strict=True):
        if one != NONE and one in whole and NONE in whole:
            row["ratio_50"] = paired_ratio(whole[one], whole[NONE])
    return rows


def lines(rows: Sequence[dict[str, Any]], minutes: Sequence[float], unit: str) -> list[str]:
    """The table as Markdown."""
    heads = [f"RMSE {unit} after {m:g} min | against none" for m in minutes]
    ends = [f"min for {TRIALS} trials", f"RMSE {unit} then", "against none"]
    names = ["pruner", "trials", "pruned", *heads, "missed", *ends]
    text = ["| " + " | ".join(names) + " |", "|---|" + "---:|" * (6 + 2 * len(minutes))]
    for row in rows:
        cells = [row["pruner"], f"{row['trials']:.0f}", f"{row['pruned']:.0%}"]
        for error, ratio in zip(row["errors"], row["ratios"], strict=True):
            cells += [f"{error:.1f}", "" if ratio is None else shown(ratio)]
        cells.append(f"{row['missed']:.0%}")
        until, error = row["minutes_50"], row["at_50"]
        cells += ["longer", ""] if until is None else [f"{until:.1f}", f"{error:.1f}"]
        cells.append("" if row["ratio_50"] is None else shown(row["ratio_50"]))
        text.append("| " + " | ".join(cells) + " |")
    return text


@click.command()
@click.option("--seeds", type=click.IntRange(min=2), default=20, show_default=True)
@click.option("--minutes", callback=options.minutes, default="10,20,30", show_default=True)
@click.option(
    "--overhead",
    type=click.FloatRange(min=0),
    default=options.OVERHEAD,
    show_default=True,
    help="Seconds a trial outside training.",
)
@click.option(
    "--pruner",
    "chosen",
    multiple=True,
    type=click.Choice(sorted({one.drawing.pruner for one in CONTESTANTS} - {"none"})),
    help="Compare this one alone with no pruning; may be given again.  [default: all]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(
    seeds: int,
    minutes: tuple[float, ...],
    overhead: float,
    chosen: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare pruners at equal time by replaying measured learning curves."""
    there = [one for one in CONTESTANTS if not chosen or one.drawing.pruner in {*chosen, "none"}]
    contest = play(there, seeds, max(minutes), overhead)
    rows = table(contest, minutes)
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=vars))
        return
    click.echo(surrogate_line(contest))
    click.echo("\n".join(lines(rows, minutes, contest.unit)))


if __name__ == "__main__":
    main()

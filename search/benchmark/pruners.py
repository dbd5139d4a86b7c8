"""Which pruner finds the lowest validation error in the same time?

    python -m search.benchmark.pruners --seeds 20

The default search is played again and again with the learning curves of `curves.csv`: the real
coordinator, sampler and pruner, two workers, and a clock that counts an epoch's seconds as
`models.cost` does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from joblib import Parallel, delayed

from experiments.catalogue import CATALOGUE
from models.cost import epoch_seconds
from models.parameters import TrialParameters
from search.benchmark.curves import FloatArray, Surrogate, read_curves
from search.benchmark.measures import Ratio, paired_ratio
from search.benchmark.replay import Replayed, ReplayPool, Trainer, replay
from search.plan import make_plan, study_facts
from search.records import StudyFacts

SAMPLER = "tpe"
WORKERS = 2
MANY_TRIALS = 10_000
TRIALS = 50


@dataclass(frozen=True)
class Candidate:
    """A pruner by name, and the epochs that every trial gets."""

    pruner: str
    warm_up: int = 0

    def __str__(self) -> str:
        """As it stands in the table."""
        return f"{self.pruner}, {self.warm_up} epochs" if self.warm_up else self.pruner


NONE = Candidate("none")
CANDIDATES = (
    NONE,
    *(
        Candidate(pruner, warm_up)
        for pruner in ("median", "quartile", "halving", "hyperband", "patient")
        for warm_up in (4, 8)
    ),
)


def compare(
    seeds: int, minutes: Sequence[float], overhead: float
) -> dict[Candidate, list[Replayed]]:
    """Replay the default search with every candidate, once a seed; the same seeds for all."""
    experiment = CATALOGUE["power_usage"]
    plan = make_plan(experiment)
    facts = study_facts(plan, "replay", "replay", {})
    surrogate = Surrogate(read_curves())
    size = plan.prepared.train.x.shape

    def train(parameters: TrialParameters, seed: int) -> tuple[FloatArray, float]:
        return surrogate.predict(parameters, seed), epoch_seconds(parameters, *size)

    pairs = [(candidate, seed) for candidate in CANDIDATES for seed in range(seeds)]
    limit = 60 * max(minutes)

    def one(candidate: Candidate, seed: int) -> Replayed:
        return _replay(train, facts, candidate, seed, limit, overhead)

    played: list[Replayed] = Parallel(n_jobs=-1)(delayed(one)(*pair) for pair in pairs)
    found: dict[Candidate, list[Replayed]] = {candidate: [] for candidate in CANDIDATES}
    for (candidate, _), one_played in zip(pairs, played, strict=True):
        found[candidate].append(one_played)
    return found


def _replay(
    train: Trainer,
    facts: StudyFacts,
    candidate: Candidate,
    seed: int,
    limit: float,
    overhead: float,
) -> Replayed:
    experiment = CATALOGUE["power_usage"].model_copy(update={"seed": seed, "trials": MANY_TRIALS})
    pool = ReplayPool(train, WORKERS, overhead, limit)
    return replay(experiment, facts, pool, SAMPLER, candidate.pruner, candidate.warm_up)


def table(
    found: Mapping[Candidate, Sequence[Replayed]], minutes: Sequence[float], to_unit: float
) -> list[dict[str, Any]]:
    """One row a candidate; errors are RMSE in the unit, `to_unit` being that of a scaled 1.

    `ratios` are paired by seed, candidate over no pruning, below 1 where the candidate is better.
    `missed` is the share of seeds in which a pruned trial would have come out best.
    """
    rows = []
    for candidate, played in found.items():
        errors, ratios = [], []
        for minute in minutes:
            own, plain = (
                np.sqrt([one.best_after(60 * minute) for one in found[which]]) * to_unit
                for which in (candidate, NONE)
            )
            errors.append(float(np.exp(np.log(own).mean())))
            ratios.append(None if candidate == NONE else paired_ratio(list(own), list(plain)))
        until = [one.steps[TRIALS - 1][0] / 60 for one in played if len(one.steps) >= TRIALS]
        rows.append(
            {
                "pruner": str(candidate),
                "trials": float(np.mean([len(one.steps) for one in played])),
                "pruned": float(np.mean([one.pruned / len(one.steps) for one in played])),
                "errors": errors,
                "ratios": ratios,
                "missed": float(np.mean([one.missed < one.steps[-1][1] for one in played])),
                "minutes_50": float(np.mean(until)) if len(until) == len(played) else None,
            }
        )
    return rows


def lines(rows: Sequence[Mapping[str, Any]], minutes: Sequence[float], unit: str) -> list[str]:
    """The table as Markdown."""
    heads = [f"RMSE {unit} after {m:g} min | against none" for m in minutes]
    names = ["pruner", "trials", "pruned", *heads, "missed", f"min for {TRIALS} trials"]
    text = ["| " + " | ".join(names) + " |", "|---|" + "---:|" * (5 + 2 * len(minutes) - 1)]
    for row in rows:
        pairs = zip(row["errors"], row["ratios"], strict=True)
        cells = [row["pruner"], f"{row['trials']:.0f}", f"{row['pruned']:.0%}"]
        for error, ratio in pairs:
            cells += [f"{error:.1f}", _short(ratio)]
        until = row["minutes_50"]
        cells += [f"{row['missed']:.0%}", "longer" if until is None else f"{until:.1f}"]
        text.append("| " + " | ".join(cells) + " |")
    return text


def _short(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"


def _minutes(_context: click.Context, _option: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        minutes = tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"expected minutes with commas, found {value!r}") from error
    if min(minutes) <= 0:
        raise click.BadParameter(f"expected minutes above 0, found {value!r}")
    return minutes


@click.command()
@click.option("--seeds", type=click.IntRange(min=2), default=20, show_default=True)
@click.option("--minutes", callback=_minutes, default="10,20,30", show_default=True)
@click.option(
    "--overhead",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Seconds a trial outside training.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(seeds: int, minutes: tuple[float, ...], overhead: float, as_json: bool) -> None:
    """Compare pruners at equal time by replaying measured learning curves."""
    plan = make_plan(CATALOGUE["power_usage"])
    rows = table(compare(seeds, minutes, overhead), minutes, plan.prepared.target_range)
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=vars))
        return
    curves = Surrogate(read_curves())
    errors = ", ".join(f"{name} {value:.3f}" for name, value in curves.errors().items())
    click.echo(f"{len(curves.curves.parameters)} measured curves; on trials not seen: {errors}")
    click.echo("\n".join(lines(rows, minutes, plan.series.unit)))


if __name__ == "__main__":
    main()

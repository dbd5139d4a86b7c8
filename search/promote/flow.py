"""A promotion from the study to the alias: finalists -> re-test -> opening -> gate -> registry."""

import contextlib
import datetime as dt
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import optuna

from models.cost import epoch_seconds
from search.conduct import Crew, held
from search.errors import Refused
from search.kept_runs import KeptRuns, NotThere
from search.optuna_records import KeptStudy, note_opening, read_study
from search.optuna_storage import open_existing
from search.plan import Plan, default_name, default_workers, find_gpus, make_plan
from search.promote.candidates import Candidate, choose, rolling
from search.promote.decision import Outcome, decide, judge
from search.promote.gate import half_width
from search.promote.opening import open_period, refit
from search.promote.ranking import Ranked, rank, winner
from search.promote.registry import Registry
from search.promote.retest import Retest, retest
from search.promote.words import ranking_lines
from search.stores import Stores

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wish:
    """What the person asked for; see the options of `search.promote`."""

    study: str
    name: str | None
    top: int
    seeds: int
    folds: int
    workers: int | None
    force: bool
    dry_run: bool
    quiet: bool


def promote(wish: Wish, stores: Stores, say: Callable[[str], None]) -> Outcome:
    """Promote the best of a study, or say why not.

    Args:
        wish: what was asked for.
        stores: where everything is.
        say: is told what happens, a line at a time.

    Raises:
        Refused: the study, its data or the registry do not allow it.
        WrongInput: an option does not fit the study.
        search.promote.retest.Stopped: it was interrupted; run again, it goes on.
    """
    storage = open_existing(stores.storage, stores.schema_lock)
    kept = read_study(storage, wish.study)
    plan = _plan(kept)
    candidates = choose(kept.records, plan.experiment.designs, wish.top)
    folds = rolling(plan.experiment.framing, wish.folds)
    gpus = find_gpus()
    crew = Crew(wish.workers or default_workers(gpus), gpus)
    registry = Registry(stores, wish.name or default_name(plan.experiment))
    lines = _plan_lines(plan, kept, candidates, wish, crew, registry)
    if wish.dry_run:
        return Outcome(True, lines, {"candidates": [one.as_dict() for one in candidates]})
    for line in lines:
        say(line)
    with held(stores, wish.study):
        tested = retest(
            plan, wish.study, candidates, folds, wish.seeds, storage, stores, crew, say, wish.quiet
        )
        ranked = rank(candidates, tested.cells, len(folds))
        for line in ["", *ranking_lines(ranked, plan.series.unit), ""]:
            say(line)
        _describe(stores, plan, tested, ranked)
        chosen = winner(ranked)
        if chosen is None:
            raise Refused("no finalist came to a result on every fold; see the re-test's failures")
        half = half_width(_residuals(plan, stores, tested, chosen))
        number = _note_opening(storage, kept, chosen, plan)
        say(
            f"The test period is opened, for the {_ordinal(number)} time by this study: "
            f"{chosen.candidate.name}, {chosen.epochs} epochs."
        )
        with tempfile.TemporaryDirectory() as place:
            fitted = refit(plan, chosen, crew, Path(place))
            opened = open_period(plan)
            with registry.held():
                registry.mend()
                judged = judge(plan, fitted, opened, half, registry)
                return decide(
                    wish.force, stores, plan, kept, ranked, chosen, judged, number, registry
                )


def _describe(stores: Stores, plan: Plan, tested: Retest, ranked: Sequence[Ranked]) -> None:
    page = "\n".join(["```", *ranking_lines(ranked, plan.series.unit), "```"])
    with contextlib.suppress(NotThere):  # the numbers are in the study database all the same
        KeptRuns(stores.tracking, plan.experiment.name, tested.identity).describe(page)


def _plan(kept: KeptStudy) -> Plan:
    """The study's data, read again."""
    plan = make_plan(kept.experiment())
    if plan.series.fingerprint != kept.contract["data"]:
        where = plan.experiment.source.file
        raise Refused(
            f"the data of study {kept.name!r} are not in {where} any more: expected sha256 "
            f"{str(kept.contract['data'])[:12]}, found {plan.series.fingerprint[:12]}.\n"
            "Next: put the file back as it was when the study ran."
        )
    return plan


def _plan_lines(
    plan: Plan,
    kept: KeptStudy,
    candidates: Sequence[Candidate],
    wish: Wish,
    crew: Crew,
    registry: Registry,
) -> list[str]:
    unit = plan.series.unit
    lines = [f"Promotion of study {kept.name} to model {registry.name}"]
    for one in candidates:
        found = "" if one.searched is None else f", RMSE {one.searched:.4g} {unit} in the search"
        role = "reference" if one.reference else "finalist"
        lines.append(
            f"  {role}: {one.name}, units {'/'.join(map(str, one.parameters.units))}{found}"
        )
    trained = plan.prepared.train
    seconds = sum(
        one.parameters.epochs * epoch_seconds(one.parameters, *trained.x.shape)
        for one in candidates
    )
    most = math.ceil(seconds * wish.seeds * wish.folds / crew.workers / 60)
    lines += [
        f"Each is trained again with {wish.seeds} fresh seed(s) on {wish.folds} rolling origin(s); "
        "whoever is beyond doubt worse after a seed gets no further one",
        f"At most {most} minutes on {crew.workers} worker(s), on cores like those of "
        "docs/performance.md; run again, it goes on where it stopped",
        f"In service: version {registry.champion() or 'none'}",
        f"Openings of the test period by this study so far: {len(kept.openings)}",
        "",
    ]
    return lines


def _residuals(plan: Plan, stores: Stores, tested: Retest, chosen: Ranked) -> FloatArray:
    """Forecast minus actual of the winner's re-tests, float64 (n, horizon)."""
    try:
        runs = KeptRuns(stores.tracking, plan.experiment.name, tested.identity)
        found = [
            runs.forecasts(number)
            for (name, _, _), number in sorted(tested.numbers.items())
            if name == chosen.candidate.name
        ]
    except NotThere as error:
        raise Refused(
            f"MLflow does not have the re-test's forecasts, from which the intervals are made: "
            f"{error}\nNext: when it is in reach, run the same command again."
        ) from error
    return np.concatenate([one.forecast - one.actual for one in found])


def _note_opening(
    storage: optuna.storages.BaseStorage, kept: KeptStudy, chosen: Ranked, plan: Plan
) -> int:
    """Record that the test period is about to be opened; return how often it was, this included."""
    opening = {
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "data": plan.series.fingerprint,
        "winner": chosen.candidate.name,
        "epochs": chosen.epochs,
    }
    note_opening(storage, kept.name, opening)
    return len(kept.openings) + 1


def _ordinal(number: int) -> str:
    endings = {1: "first", 2: "second", 3: "third"}
    return endings.get(number, f"{number}th")

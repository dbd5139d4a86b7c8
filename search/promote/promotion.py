"""A promotion from the study to the alias: finalists -> re-test -> opening -> gate -> registry."""

import contextlib
import datetime as dt
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna

from models.cost import epoch_seconds
from models.intervals import begin
from search.common import commands
from search.common.errors import Refused
from search.common.spool import Forecasts
from search.common.stores import Stores
from search.engine.facts import with_floor
from search.engine.folds import rolling
from search.engine.opened_period import open_period
from search.engine.plan import Plan, default_name, make_plan
from search.promote.candidates import Candidate, choose
from search.promote.decision import Case, Outcome, decide
from search.promote.entrants import enter_baseline, how_far
from search.promote.final_test import refit
from search.promote.judging import judge
from search.promote.ranking import Ranked, rank, winner
from search.promote.retest import Retest, retest
from search.promote.text import ranking_lines
from search.results.baselines import FloorRetest, judge_baselines, retest_floor
from search.results.summary import amount
from search.serving.champion import champion_of, champions_forecast
from search.serving.registry import Registry, need_store
from search.tracking.existing_runs import KeptRuns, NotThere
from search.training.machine import default_workers, find_gpus
from search.training.pool import Crew
from search.tuning.kept_studies import KeptStudy, keep_openings, openings_of, read_study
from search.tuning.lock import held
from search.tuning.storage import open_existing, refusing_failures

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
    serve_best: bool
    dry_run: bool
    quiet: bool
    cluster: str = ""


@refusing_failures()
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
    need_store(stores)
    storage = open_existing(stores.storage, stores.schema_lock)
    kept = read_study(storage, wish.study)
    plan = _plan(kept)
    kept = with_floor(kept, say)
    candidates = choose(kept.records, plan.experiment, wish.top)
    folds = rolling(plan.experiment.framing, wish.folds)
    if wish.cluster:
        crew = Crew(wish.workers or 0, cluster=wish.cluster)
    else:
        gpus = find_gpus()
        crew = Crew(wish.workers or default_workers(gpus), gpus)
    registry = Registry(stores, wish.name or default_name(plan.experiment))
    try:
        # What would stop the promotion later stops it now, before the test period is opened.
        KeptRuns(stores.tracking, plan.experiment.name, kept.identity).find()
        known = champion_of(plan.series, plan.experiment.framing, registry)
        seen = len(openings_of(storage, plan.series.fingerprint))
        # A study whose first run ended at once has none yet.
        baselines = kept.baselines or judge_baselines(plan.prepared)
        far, stands = how_far(candidates, baselines, plan.series.unit)
        skipped = far and wish.serve_best
        lines = _plan_lines(plan, kept, candidates, wish, crew, registry, seen)
        lines += [known.overlap(plan.series, plan.experiment.framing)] if known is not None else []
        lines += [stands, *_advice(far, wish, stores)]
        lines += [] if skipped else _work_lines(plan, candidates, wish, crew)
        if wish.dry_run:
            return Outcome(True, lines, {"candidates": [one.as_dict() for one in candidates]})
        for line in [*lines, ""]:
            say(line)
        with held(stores, wish.study):
            tested, ranked = None, []
            if not skipped:
                tested = retest(
                    *(plan, wish.study, candidates, folds, wish.seeds),
                    *(storage, stores, crew, say, wish.quiet),
                )
                ranked = rank(candidates, tested.cells, len(folds))
            floor = retest_floor(plan.series, folds)
            for line in ["", *ranking_lines(ranked, floor.means, plan.series.unit), ""]:
                say(line)
            if tested is not None:
                _describe(stores, plan, tested, ranked, floor)
            return _open(wish, stores, storage, plan, tested, ranked, floor, registry, crew, say)
    except NotThere as error:
        raise Refused(
            f"MLflow does not have what a promotion needs: {error}.\nNext: give the --tracking-uri "
            "of the search, or run the search's command again, which brings MLflow in line."
        ) from error


def _advice(far: bool, wish: Wish, stores: Stores) -> list[str]:
    if not far:
        return []
    if wish.serve_best:
        return ["So no network is trained again: the best baseline is judged, and served."]
    places = stores.words("--storage", "--tracking-uri")
    command = commands.module("search.promote", "--study", wish.study, *places, "--serve-best")
    return [f"To serve the best baseline instead, in a minute: {command}"]


def _open(
    wish: Wish,
    stores: Stores,
    storage: optuna.storages.BaseStorage,
    plan: Plan,
    tested: Retest | None,
    ranked: Sequence[Ranked],
    floor: FloorRetest,
    registry: Registry,
    crew: Crew,
    say: Callable[[str], None],
) -> Outcome:
    """Open the test period, judge there who may be promoted, and decide; the study is held."""
    chosen = winner(ranked)
    if chosen is None and not wish.serve_best:
        raise Refused("no finalist came to a result on every fold; see the re-test's failures")
    unit, begins = plan.series.unit, None
    if chosen is not None and tested is not None:
        residuals = _residuals(plan, stores, tested, chosen)
        begins = begin(residuals)
    opening = _noted(storage, read_study(storage, wish.study), chosen, floor, plan)
    openings = openings_of(storage, plan.series.fingerprint)
    number = [one["time"] for one in openings].index(opening["time"]) + 1
    say(
        f"The test period of these data is opened, for the {_ordinal(number)} time, for "
        f"{opening['winner']}."
    )
    if chosen is not None and begins is not None:
        say(
            f"{chosen.candidate.name} becomes the mean of {chosen.seeds} network(s) of "
            f"{chosen.epochs} epochs. In the re-test such means had an RMSE of "
            f"{amount(float(np.sqrt(np.mean(np.square(residuals)))))} {unit}."
        )
    with tempfile.TemporaryDirectory() as place:
        entrants = []
        if chosen is not None and begins is not None:
            entrants.append(refit(plan, chosen, begins, crew, Path(place), say))
        with registry.held():
            for line in registry.mend():
                say(line)
            opened = open_period(plan)
            if wish.serve_best:
                name = floor.strongest
                given = opened.fitted[name], opened.baselines[name], floor.interval(name)
                entrants.append(enter_baseline(name, *given, Path(place)))
            champion = champions_forecast(
                plan.series, plan.experiment.framing, registry, opened.prepared.validation.origins
            )
            judged = [judge(one, opened, champion) for one in entrants]
            own = read_study(storage, wish.study).openings
            scored = [one | {"scored": True} if one == opening else one for one in own]
            keep_openings(storage, wish.study, scored)
            kept = with_floor(read_study(storage, wish.study), say)
            case = Case(plan, kept, ranked, floor, number, wish.force, wish.serve_best)
            return decide(judged, case, stores, registry)


def _describe(
    stores: Stores, plan: Plan, tested: Retest, ranked: Sequence[Ranked], floor: FloorRetest
) -> None:
    page = "\n".join(["```", *ranking_lines(ranked, floor.means, plan.series.unit), "```"])
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
    series = plan.series
    zoneless = series.index.tz is not None and plan.experiment.source.tz is None
    if zoneless and len((series.local - series.index.tz_localize(None)).unique()) > 1:
        raise Refused(
            "the file's offsets from UTC change with the clock, and without a zone a served "
            "model cannot follow them.\nNext: search again with --tz, such as Europe/Berlin."
        )
    return plan


def _plan_lines(
    plan: Plan,
    kept: KeptStudy,
    candidates: Sequence[Candidate],
    wish: Wish,
    crew: Crew,
    registry: Registry,
    openings: int,
) -> list[str]:
    """What stands before anything is trained: the finalists, the work, what is in service."""
    unit = plan.series.unit
    lines = [f"Promotion of study {kept.name} to model {registry.name}"]
    for one in candidates:
        found = "" if one.searched is None else f", RMSE {one.searched:.4g} {unit} in the search"
        role = "reference" if one.reference else "finalist"
        lines.append(
            f"  {role}: {one.name}, units {'/'.join(map(str, one.parameters.units))}{found}"
        )
    champion = registry.champion()
    in_service = "nothing yet" if champion is None else f"version {champion}"
    return [
        *lines,
        f"In service: {in_service}",
        f"Openings of the test period of these data so far: {openings}",
    ]


def _work_lines(plan: Plan, candidates: Sequence[Candidate], wish: Wish, crew: Crew) -> list[str]:
    """What the re-test does, and how long it takes."""
    trained = plan.prepared.train
    finalists, references = (
        [
            one.parameters.epochs * epoch_seconds(one.parameters, *trained.x.shape)
            for one in candidates
            if one.reference is reference
        ]
        for reference in (False, True)
    )
    refits = wish.seeds * max(finalists)
    cells = wish.seeds * wish.folds
    least = sum(finalists) * wish.folds + sum(references) + refits
    most = (sum(finalists) + sum(references)) * cells + refits
    workers = crew.workers or 1  # of a cluster nobody knows yet
    minutes = [math.ceil(seconds / workers / 60) for seconds in (least, most)]
    span = " to ".join(str(one) for one in sorted(set(minutes)))
    return [
        f"Each is trained again with {wish.seeds} fresh seed(s) on {wish.folds} rolling origin(s). "
        "A candidate that is significantly worse after a seed is dropped, and so is a reference "
        "that is worse than every finalist on the last fold. The winner is then trained on train "
        "and validation, once a seed; the mean of these networks is what may be promoted.",
        f"{span} minutes on {workers} worker(s), depending on how early candidates are "
        "dropped, on cores like those of docs/performance.md; run again, it goes on where it "
        "stopped",
    ]


def _residuals(plan: Plan, stores: Stores, tested: Retest, chosen: Ranked) -> FloatArray:
    """Forecast minus actual of the winner's re-tests, float64 (n, horizon).

    The forecast of a fold is the mean over its seeds, as that of the promoted model will be.
    """
    runs = KeptRuns(stores.tracking, plan.experiment.name, tested.identity)
    folds: dict[int, list[Forecasts]] = {}
    for (name, fold, _), number in sorted(tested.numbers.items()):
        if name == chosen.candidate.name:
            folds.setdefault(fold, []).append(runs.forecasts(number))
    return np.concatenate(
        [np.mean([one.forecast for one in own], axis=0) - own[0].actual for own in folds.values()]
    )


def _noted(
    storage: optuna.storages.BaseStorage,
    kept: KeptStudy,
    chosen: Ranked | None,
    floor: FloorRetest,
    plan: Plan,
) -> dict[str, Any]:
    """Record that the test period is about to be opened, once for one winner until it is scored."""
    opening = {
        "data": plan.series.fingerprint,
        "winner": floor.strongest if chosen is None else chosen.candidate.name,
        "epochs": 0 if chosen is None else chosen.epochs,
        "networks": 0 if chosen is None else chosen.seeds,
        "scored": False,
    }
    for one in kept.openings:
        if one | {"time": ""} == opening | {"time": ""}:
            return one
    opening["time"] = dt.datetime.now(dt.UTC).isoformat()
    keep_openings(storage, kept.name, [*kept.openings, opening])
    return opening


def _ordinal(number: int) -> str:
    endings = {1: "first", 2: "second", 3: "third"}
    return endings.get(number, f"{number}th")

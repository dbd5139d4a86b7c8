"""A promotion from the study to the alias: finalists -> re-test -> opening -> gate -> registry."""

import contextlib
import dataclasses
import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.common import commands
from search.common.errors import Refused
from search.common.stores import Stores, named_where
from search.engine.facts import with_floor
from search.engine.folds import rolling
from search.engine.naming import model_name
from search.engine.opened_period import open_period
from search.engine.opening import hold_study
from search.engine.plan import Plan, make_plan
from search.promote.candidates import choose
from search.promote.contender import Contender, contend
from search.promote.decision import decide
from search.promote.entrants import Entrant, Part, baseline_part, how_far
from search.promote.final_test import refit
from search.promote.judging import Judged, judge
from search.promote.outcome import Outcome
from search.promote.preview import plan_lines, work_lines
from search.promote.ranking import Ranked, rank, winner
from search.promote.rehearsal import rehearse
from search.promote.retest import Resources, Retest, retest
from search.promote.ruling import Case
from search.promote.schedule import Schedule
from search.promote.text import ranking_lines
from search.results.baselines import FloorRetest, judge_baselines, retest_floor
from search.serving.champion import champion_of, champions_forecast
from search.serving.registry import Registry, need_store
from search.tracking.existing_runs import KeptRuns, NotThere
from search.training.machine import default_workers, find_gpus
from search.training.pool import Crew
from search.training.pools import one_pool
from search.tuning.kept_studies import (
    KeptStudy,
    keep_openings,
    keep_payoff,
    openings_of,
    read_study,
)
from search.tuning.storage import open_existing, refusing_failures


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
    blend: bool = True


@dataclass(frozen=True)
class _Promotion:
    """What a promotion works with, once everything was found to be there."""

    wish: Wish
    kept: KeptStudy
    schedule: Schedule
    registry: Registry
    crew: Crew
    resources: Resources

    @property
    def plan(self) -> Plan:
        return self.schedule.plan

    @property
    def unit(self) -> str:
        return self.plan.series.unit


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
    kept = with_floor(kept, say, plan)
    candidates = choose(kept.records, plan.experiment, wish.top)
    folds = rolling(plan.experiment.framing, wish.folds)
    gpus = () if wish.cluster else find_gpus()
    here = 0 if wish.cluster else default_workers(gpus)
    crew = Crew(wish.workers or here, gpus, cluster=wish.cluster)
    registry = Registry(stores, wish.name or model_name(wish.study, plan.experiment))
    schedule = Schedule(plan, wish.study, candidates, folds, wish.seeds)
    with one_pool(plan.series, plan.experiment.framing, crew, say) as pool:
        resources = Resources(storage, stores, pool, say, wish.quiet)
        return _promote(_Promotion(wish, kept, schedule, registry, crew, resources))


def _promote(promotion: _Promotion) -> Outcome:
    """Foresee, and unless that is all that was asked for, test again, open and decide."""
    wish, schedule, resources = promotion.wish, promotion.schedule, promotion.resources
    plan, stores, say = promotion.plan, resources.stores, resources.say
    try:
        lines, skipped = _foresee(promotion)
        if wish.dry_run:
            return Outcome(True, lines, {"candidates": [c.as_dict() for c in schedule.candidates]})
        for line in [*lines, ""]:
            say(line)
        with hold_study(wish.study, stores, resources.storage):
            tested, ranked = None, []
            if not skipped:
                tested = retest(schedule, promotion.resources)
                ranked = rank(schedule.candidates, tested.cells, schedule.folds)
            floor = retest_floor(plan.series, schedule.framings)
            for line in ["", *ranking_lines(ranked, floor.means, promotion.unit), ""]:
                say(line)
            if tested is not None:
                _describe(promotion, tested, ranked, floor)
            return _open(promotion, tested, ranked, floor)
    except NotThere as error:
        raise Refused(
            f"MLflow does not have what a promotion needs: {error}.\n"
            f"Next: give the {named_where(stores.tracking)} "
            "of the search, or run the search's command again, which brings MLflow in line."
        ) from error


def _foresee(promotion: _Promotion) -> tuple[list[str], bool]:
    """See that all is there, before the test period is opened.

    Returns:
        What is about to happen, a line each; and True if no network is to be trained again.
    """
    plan, wish, resources = promotion.plan, promotion.wish, promotion.resources
    # What would stop the promotion later stops it now.
    KeptRuns(resources.stores.tracking, plan.experiment.name, promotion.kept.identity).find()
    known = champion_of(plan.series, plan.experiment.framing, promotion.registry)
    seen = len(openings_of(resources.storage, plan.series.fingerprint))
    # A study whose first run ended at once has none yet.
    baselines = promotion.kept.baselines or judge_baselines(plan.prepared)
    far, stands = how_far(promotion.schedule.candidates, baselines, promotion.unit)
    skipped = far and wish.serve_best
    lines = plan_lines(promotion.schedule, promotion.registry, seen)
    lines += [known.overlap(plan.series, plan.experiment.framing)] if known is not None else []
    lines += [stands, *_advice(far, wish, resources.stores)]
    lines += [] if skipped else work_lines(promotion.schedule, promotion.crew.workers or 1)
    return lines, skipped


def _advice(far: bool, wish: Wish, stores: Stores) -> list[str]:
    if not far:
        return []
    if wish.serve_best:
        return ["So no network is trained again: the best baseline is judged, and served."]
    places = stores.words("--storage", "--tracking-uri")
    command = commands.module("search.promote", "--study", wish.study, *places, "--serve-best")
    return [f"To serve the best baseline instead, within a minute: {command}"]


def _open(
    promotion: _Promotion, tested: Retest | None, ranked: Sequence[Ranked], floor: FloorRetest
) -> Outcome:
    """Open the test period, judge there who may be promoted, and decide; the study is held."""
    plan, say = promotion.plan, promotion.resources.say
    contender = _contend(promotion, tested, ranked, floor)
    if contender is None and not promotion.wish.serve_best:
        raise Refused("no finalist came to a result on every fold; see the re-test's failures")
    experiment, tracking = plan.experiment.name, promotion.resources.stores.tracking
    retested = KeptRuns(tracking, experiment, "" if tested is None else tested.identity)
    best = None if contender is None else contender.chosen
    rehearse(KeptRuns(tracking, experiment, promotion.kept.identity), retested, tested, best)
    # Its openings may have changed since; its baselines, judged on the same data, have not.
    kept = read_study(promotion.resources.storage, promotion.wish.study)
    kept = dataclasses.replace(kept, baselines=promotion.kept.baselines)
    opening, kept = _note_opening(promotion, kept, contender, floor)
    openings = openings_of(promotion.resources.storage, plan.series.fingerprint)
    number = [known["time"] for known in openings].index(opening["time"]) + 1
    say(
        f"The test period of these data is opened, for the {_ordinal(number)} time, for "
        f"{opening['winner']}."
    )
    with tempfile.TemporaryDirectory() as folder:
        place, network = Path(folder), None
        if contender is not None:
            chosen = contender.chosen
            say(
                f"{chosen.candidate.name} becomes the mean of {chosen.seeds} network(s) of "
                f"{chosen.epochs} epochs."
            )
            network = refit(plan, chosen, promotion.resources.pool(), place, say)
        with promotion.registry.held():
            judged = _judge(promotion, contender, network, floor, place)
            kept = _keep_openings(
                promotion,
                kept,
                [o | {"scored": True} if o == opening else o for o in kept.openings],
            )
            force, serve_best = promotion.wish.force, promotion.wish.serve_best
            case = Case(plan, kept, ranked, floor, number, force, serve_best, contender)
            return decide(judged, case, promotion.resources.stores, promotion.registry)


def _contend(
    promotion: _Promotion, tested: Retest | None, ranked: Sequence[Ranked], floor: FloorRetest
) -> Contender | None:
    """The winner of the re-test, alone or blended, and say which; None without one."""
    chosen = winner(ranked)
    if chosen is None or tested is None:
        return None
    experiment = promotion.plan.experiment.name
    runs = KeptRuns(promotion.resources.stores.tracking, experiment, tested.identity)
    contender = contend(runs, tested, chosen, floor, promotion.wish.blend)
    for line in contender.lines(promotion.unit):
        promotion.resources.say(line)
    ended = sum(record.finished for record in promotion.kept.records)
    payoff = contender.payoff(ended).model_dump(mode="json")
    keep_payoff(promotion.resources.storage, promotion.wish.study, payoff)
    return contender


def _judge(
    promotion: _Promotion,
    contender: Contender | None,
    network: Part | None,
    floor: FloorRetest,
    place: Path,
) -> list[Judged]:
    """Judge the winner, if there is one, and the baseline that may serve, on the test hours."""
    plan, registry = promotion.plan, promotion.registry
    for line in registry.mend():
        promotion.resources.say(line)
    opened = open_period(plan)
    name = floor.strongest
    rival = baseline_part(name, opened.fitted[name], opened.baselines[name], place)
    everybody = []
    if contender is not None and network is not None:
        everybody.append(contender.entrant(network, rival))
    if promotion.wish.serve_best:
        everybody.append(Entrant(name, (rival,), floor.interval(name)))
    origins = opened.prepared.held_out.origins
    champion = champions_forecast(plan.series, plan.experiment.framing, registry, origins)
    return [judge(entrant, opened, champion) for entrant in everybody]


def _describe(
    promotion: _Promotion, tested: Retest, ranked: Sequence[Ranked], floor: FloorRetest
) -> None:
    page = "\n".join(["```", *ranking_lines(ranked, floor.means, promotion.unit), "```"])
    with contextlib.suppress(NotThere):  # the numbers are in the study database all the same
        experiment = promotion.plan.experiment.name
        KeptRuns(promotion.resources.stores.tracking, experiment, tested.identity).describe(page)


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


def _note_opening(
    promotion: _Promotion, kept: KeptStudy, contender: Contender | None, floor: FloorRetest
) -> tuple[dict[str, Any], KeptStudy]:
    """Record that the test period is about to be opened, once for one winner until it is scored.

    Returns:
        The opening, and the study with it.
    """
    opening: dict[str, Any] = {
        "data": promotion.plan.series.fingerprint,
        "winner": floor.strongest if contender is None else contender.name,
        "epochs": 0 if contender is None else contender.chosen.epochs,
        "networks": 0 if contender is None else contender.chosen.seeds,
        "scored": False,
    }
    if contender is not None and contender.blend is not None:
        opening["weight"] = contender.blend.weight
    for known in kept.openings:
        if known | {"time": ""} == opening | {"time": ""}:
            return known, kept
    opening["time"] = dt.datetime.now(dt.UTC).isoformat()
    return opening, _keep_openings(promotion, kept, [*kept.openings, opening])


def _keep_openings(
    promotion: _Promotion, kept: KeptStudy, openings: Sequence[dict[str, Any]]
) -> KeptStudy:
    keep_openings(promotion.resources.storage, kept.name, openings)
    return dataclasses.replace(kept, openings=tuple(openings))


def _ordinal(number: int) -> str:
    endings = {1: "first", 2: "second", 3: "third"}
    return endings.get(number, f"{number}th")

"""A promotion from the study to the alias: finalists -> re-test -> opening -> gate -> registry."""

import contextlib
import datetime as dt
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna

from data_pipeline.framing import Framing
from models.cost import epoch_seconds
from search import commands
from search.conduct import Crew, held
from search.errors import Refused
from search.figures import Week, one_week, png
from search.kept_runs import KeptRuns, NotThere
from search.optuna_records import KeptStudy, note_opening, read_study
from search.optuna_storage import open_existing
from search.plan import Plan, default_name, default_workers, find_gpus, make_plan, study_facts
from search.promote.candidates import Candidate, choose, rolling
from search.promote.gate import Compared, compare, covered, half_width, objections
from search.promote.model import facts_of, forecast_windows, model_files, raw_rows, save
from search.promote.opening import Opened, Refit, open_period, refit
from search.promote.ranking import Ranked, rank, winner
from search.promote.registry import Registry
from search.promote.retest import Retest, retest
from search.promote.words import card, compared_lines, ranking_lines, score_table
from search.stores import Stores
from search.summary import fits

FloatArray = npt.NDArray[np.float64]

OURS = "this model"
# Between what the worker forecast and what the registered model does, in ranges of the target.
_SAME = 1e-3
LIMITS = (
    "Limits: trained on one period of one place; it knows neither holidays nor weather forecasts, "
    "and is not to be trusted far outside the values it was trained on."
)


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


@dataclass(frozen=True)
class Outcome:
    """What came of it: `done` if what was asked for was done, the same as lines and as facts."""

    done: bool
    lines: list[str]
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Judged:
    """The refitted winner beside all others on the test hours."""

    fitted: Refit
    opened: Opened
    half: FloatArray
    compared: dict[str, Compared]
    champion: Compared | None

    @property
    def coverage(self) -> float:
        return covered(self.fitted.forecast - self.opened.actual, self.half)

    @property
    def all_compared(self) -> list[Compared]:
        rivals = sorted(self.compared.values(), key=lambda one: one.other)
        return [*([self.champion] if self.champion else []), *rivals]


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
        return Outcome(True, lines, {"candidates": [_plain(one) for one in candidates]})
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
                judged = _judge(plan, fitted, opened, half, registry)
                return _decide(wish, stores, plan, kept, ranked, chosen, judged, number, registry)


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


def _judge(
    plan: Plan, fitted: Refit, opened: Opened, half: FloatArray, registry: Registry
) -> _Judged:
    errors = fitted.forecast - opened.actual
    compared = {
        name: compare(name, errors, forecast - opened.actual)
        for name, forecast in opened.baselines.items()
    }
    version, champion = registry.champion(), None
    if version is not None:
        with tempfile.TemporaryDirectory() as place:
            folder = registry.fetch(version, Path(place))
            forecast = _champion_forecast(plan, opened, folder, version)
        champion = compare(f"version {version}", errors, forecast - opened.actual)
    return _Judged(fitted, opened, half, compared, champion)


def _champion_forecast(plan: Plan, opened: Opened, folder: Path, version: str) -> FloatArray:
    facts = json.loads(model_files(folder)[1].read_text(encoding="utf-8"))
    series = plan.series
    expected = {
        "target": series.target_name,
        "features": list(series.covariate_names),
        "unit": series.unit,
        "horizon": plan.experiment.framing.horizon,
    }
    other = [
        f"{name}: {facts.get(name)!r}, here {value!r}"
        for name, value in expected.items()
        if facts.get(name) != value
    ]
    if other:
        raise Refused(
            f"the champion, version {version}, forecasts something else ({'; '.join(other)}).\n"
            "Next: give this model a name of its own with --name."
        )
    rows = raw_rows(series, facts["time"])
    return forecast_windows(folder, rows, opened.prepared.validation.origins)


def _decide(
    wish: Wish,
    stores: Stores,
    plan: Plan,
    kept: KeptStudy,
    ranked: Sequence[Ranked],
    chosen: Ranked,
    judged: _Judged,
    number: int,
    registry: Registry,
) -> Outcome:
    """Pass the gate or not, register, log, and say all of it; the registry is held."""
    unit = plan.series.unit
    against = objections(judged.compared, judged.champion, unit)
    scores = {OURS: judged.opened.score(judged.fitted.forecast)}
    scores |= {name: judged.opened.score(f) for name, f in judged.opened.baselines.items()}
    facts = study_facts(plan, kept.name, kept.identity, kept.baselines)
    own = next((r for r in kept.records if r.parameters == chosen.candidate.parameters), None)
    regimes = fits(kept.records, kept.baselines)
    about = {
        "periods": _periods(plan, judged.opened),
        "opening": number,
        "coverage": judged.coverage,
        "half_width": float(judged.half[0]),
        "regime": str(regimes[own.number].regime) if own and own.number in regimes else "unknown",
        "objections": against,
        "limits": LIMITS,
    }
    promoted = not against or wish.force
    page = card(facts, chosen, scores, judged.all_compared, about)
    version = None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        runs = KeptRuns(stores.tracking, plan.experiment.name, kept.identity)
        run = runs.begin_promotion(
            f"promotion {number}",
            {"unit": unit, "test_opening": str(number), "model": registry.name},
        )
        try:
            if promoted:
                version = _register(plan, judged, registry, run, page, place)
                registry.put_in_service(
                    version,
                    {
                        "study": kept.name,
                        "run": run,
                        "winner": chosen.candidate.name,
                        "opening": number,
                        "rmse": scores[OURS].rmse,
                        "unit": unit,
                        "objections": against,
                    },
                )
        finally:
            _write_files(place / "files", plan, judged, ranked, page)
            # Whatever came before is the reason that counts.
            with contextlib.suppress(NotThere):
                status = "FINISHED" if version is not None else "FAILED"
                runs.end_promotion(run, page, _metrics(scores, judged), place / "files", status)
    lines = [
        *score_table(scores, unit),
        "",
        *compared_lines(judged.all_compared, unit),
        f"90 % interval: +- {judged.half[0]:.4g} {unit} at the first hour; it covered "
        f"{judged.coverage:.1%} of the test hours",
        *(["The test period had been opened by this study before."] if number > 1 else []),
        "",
    ]
    if version is not None:
        forced = f" by force, although {'; '.join(against)}" if against else ""
        lines.append(f"Promoted{forced}: version {version} of model {registry.name} is champion.")
        lines.append(f"Use it: {commands.module('search.predict', '--data', 'FILE.csv')}")
    else:
        lines += [f"Not promoted: {line}" for line in against]
    return Outcome(
        version is not None,
        lines,
        {
            "promoted": version is not None,
            "version": version,
            "model": registry.name,
            "winner": chosen.candidate.name,
            "opening": number,
            "unit": unit,
            "objections": against,
            "coverage": judged.coverage,
            "half_width": judged.half.tolist(),
            "scores": {name: one.as_dict() for name, one in scores.items()},
            "compared": [asdict(one) for one in judged.all_compared],
            "retest": [_plain(one.candidate) | _retested(one) for one in ranked],
        },
    )


def _register(
    plan: Plan, judged: _Judged, registry: Registry, run: str, page: str, place: Path
) -> str:
    """Make the served model, see that it forecasts as the trained one did, and register it."""
    source, framing = plan.experiment.source, plan.experiment.framing
    prepared = judged.opened.prepared
    facts = facts_of(
        plan.series,
        framing,
        prepared.scaler,
        prepared.train_rows,
        source.time,
        source.tz,
        judged.half,
    )
    rows = raw_rows(plan.series, source.time)
    folder = place / "model"
    save(folder, judged.fitted.network, facts, rows.iloc[: framing.window])
    again = forecast_windows(folder, rows, prepared.validation.origins)
    off = float(np.abs(again - judged.fitted.forecast).max())
    if off > _SAME * prepared.target_range:
        raise Refused(
            f"the model as it would be served forecasts up to {off:.4g} {plan.series.unit} "
            "differently from the one that was judged; nothing was promoted"
        )
    version = registry.add(run, folder, page, {"unit": plan.series.unit})
    registry.fetch(version, place / "fetched")
    return version


def _write_files(
    place: Path, plan: Plan, judged: _Judged, ranked: Sequence[Ranked], page: str
) -> None:
    place.mkdir()
    (place / "model_card.md").write_text(page, encoding="utf-8")
    unit = plan.series.unit
    (place / "retest.txt").write_text("\n".join(ranking_lines(ranked, unit)), encoding="utf-8")
    prepared = judged.opened.prepared
    times = prepared.history.local[prepared.validation.origins]
    week = Week(
        f"Actual and forecast, first {min(168, len(times))} test hours",
        times,
        judged.opened.actual[:, 0],
        judged.fitted.forecast[:, 0],
    )
    (place / "test_week.png").write_bytes(png(one_week(week, unit)))


def _metrics(scores: dict[str, Any], judged: _Judged) -> dict[str, float]:
    metrics = {f"test_{name}": value for name, value in scores[OURS].as_dict().items()}
    metrics |= {f"test_rmse_{name}": one.rmse for name, one in scores.items() if name != OURS}
    if judged.champion is not None:
        metrics["test_rmse_champion"] = judged.champion.other
    return metrics | {"test_coverage_90": judged.coverage}


def _periods(plan: Plan, opened: Opened) -> str:
    local, first = plan.series.local, opened.prepared.train_rows
    return (
        f"learned from {local[0]:%Y-%m-%d %H:%M} to {local[first - 1]:%Y-%m-%d %H:%M}, tested to "
        f"{local[-1]:%Y-%m-%d %H:%M} (local clock); {_split(plan.experiment.framing)}"
    )


def _split(framing: Framing) -> str:
    return f"windows of {framing.window} hours, {framing.horizon} ahead"


def _plain(candidate: Candidate) -> dict[str, Any]:
    return asdict(candidate) | {"parameters": candidate.parameters.model_dump(mode="json")}


def _retested(one: Ranked) -> dict[str, Any]:
    plain = asdict(one)
    del plain["candidate"]
    return plain


def _ordinal(number: int) -> str:
    endings = {1: "first", 2: "second", 3: "third"}
    return endings.get(number, f"{number}th")

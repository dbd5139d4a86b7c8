"""Who is let through, and what is written and said of it."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.metrics import Scores
from search.common import commands
from search.common.errors import Refused
from search.common.records import StudyFacts
from search.common.stores import Stores
from search.engine.facts import study_facts
from search.engine.opened_period import Opened
from search.engine.plan import Plan
from search.figures import Week, one_week, png
from search.promote.judging import Judged, promotion_metrics
from search.promote.ranking import Ranked
from search.promote.text import card, compared_lines, coverage_lines, ranking_lines, score_table
from search.results.baselines import FloorRetest
from search.results.summary import StudySummary, fits
from search.serving.model_folder import facts_of, forecast_windows, raw_rows, save
from search.serving.registry import Registry
from search.tracking.descriptions import description
from search.tracking.existing_runs import KeptRuns, NotThere
from search.tuning.attempts import Tally
from search.tuning.kept_studies import KeptStudy

OURS = "this model"
# Between what was judged and what the registered model forecasts, in ranges of the target.
_SAME = 1e-3
LIMITS = (
    "Limits: trained on one period of one place; it knows neither holidays nor weather forecasts, "
    "and is not to be trusted far outside the values it was trained on."
)


@dataclass(frozen=True)
class Outcome:
    """What came of it: `done` if what was asked for was done, the same as lines and as facts."""

    done: bool
    lines: list[str]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What a decision is made of, beside the entrants.

    Attributes:
        plan: of the study. kept: the study.
        ranked: the re-test of the networks; empty if there was none. floor: that of the baselines.
        opening: number of this opening of the test period.
        force: promote the network against the gate.
        serve_best: promote the baseline where the gate refuses the network.
    """

    plan: Plan
    kept: KeptStudy
    ranked: Sequence[Ranked]
    floor: FloorRetest
    opening: int
    force: bool
    serve_best: bool

    @property
    def unit(self) -> str:
        """Of the target."""
        return self.plan.series.unit


@dataclass(frozen=True)
class Ruling:
    """Who it is about, and what speaks against it.

    Attributes:
        judged: the one that is promoted or, if none is, that was to be.
        against: what speaks against it.
        promoted: True if it is promoted.
        passed_over: the network that was refused where a baseline is promoted, and why.
    """

    judged: Judged
    against: list[str]
    promoted: bool
    passed_over: tuple[Judged, list[str]] | None = None


def rule(entrants: Sequence[Judged], case: Case) -> Ruling:
    """Let the first entrant through against whom nothing speaks: the network, then the baseline."""
    against = [one.objections(case.unit) for one in entrants]
    first, *rest = entrants
    if not against[0] or (case.force and first.entrant.network):
        return Ruling(first, against[0], promoted=True)
    if not rest:
        return Ruling(first, against[0], promoted=False)
    second = rest[0]
    return Ruling(second, against[1], not against[1], passed_over=(first, against[0]))


def decide(entrants: Sequence[Judged], case: Case, stores: Stores, registry: Registry) -> Outcome:
    """Pass the gate or not, register, log, and say all of it.

    Args:
        entrants: the network, if there is one, and the baseline if it may serve.
        case: the study and what was found out before.
        stores: where MLflow is.
        registry: held by this process.
    """
    ruling = rule(entrants, case)
    judged, unit = ruling.judged, case.unit
    scores = _scores(entrants, judged)
    page = _card(case, ruling, scores)
    version = None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        runs = KeptRuns(stores.tracking, case.plan.experiment.name, case.kept.identity)
        run = runs.begin_promotion(
            f"promotion {case.opening}",
            {"unit": unit, "test_opening": str(case.opening), "model": registry.name},
        )
        try:
            if ruling.promoted:
                made = _register(case.plan, judged, registry, run, page, place)
                registry.put_in_service(
                    made,
                    judged.champion_version,
                    {
                        "study": case.kept.name,
                        "run": run,
                        "winner": judged.entrant.name,
                        "opening": case.opening,
                        "rmse": judged.scores.rmse,
                        "unit": unit,
                        "objections": ruling.against,
                    },
                )
                version = made
        finally:
            _write_files(place / "files", case, judged, page)
            # Whatever came before is the reason that counts.
            with contextlib.suppress(NotThere):
                summary, facts = _study(case)
                runs.describe(description(summary, facts))
                status = "FINISHED" if version is not None else "FAILED"
                runs.end_promotion(run, page, promotion_metrics(judged), place / "files", status)
    return Outcome(
        version is not None,
        [
            *score_table(scores, unit),
            "",
            *compared_lines(judged.all_compared, unit),
            *coverage_lines(judged.coverage, judged.half, unit),
            *(["The test period of these data had been opened before."] * (case.opening > 1)),
            "",
            *_verdict(ruling, case, version, registry.name),
        ],
        _facts(case, ruling, scores, version, registry.name),
    )


def _scores(entrants: Sequence[Judged], judged: Judged) -> dict[str, Scores]:
    """Everybody on the test hours: the one it is about as `OURS`, the others by name."""
    opened: Opened = judged.opened
    everybody = dict(opened.baselines)
    everybody |= {one.entrant.name: one.entrant.forecast for one in entrants}
    del everybody[judged.entrant.name]
    scores = {OURS: judged.scores}
    return scores | {name: opened.score(forecast) for name, forecast in everybody.items()}


def _card(case: Case, ruling: Ruling, scores: dict[str, Scores]) -> str:
    judged = ruling.judged
    chosen = next((r for r in case.ranked if r.candidate.name == judged.entrant.name), None)
    about = {
        "periods": _periods(case.plan, judged.opened),
        "opening": case.opening,
        "coverage": coverage_lines(judged.coverage, judged.half, case.unit),
        "regime": "" if chosen is None else _regime(case.kept, chosen),
        "floor": case.floor.means,
        "objections": ruling.against if judged.entrant.network else [],
        "limits": LIMITS,
    }
    who = judged.entrant.name if chosen is None else chosen
    return card(_study(case)[1], who, scores, judged.all_compared, about)


def _study(case: Case) -> tuple[StudySummary, StudyFacts]:
    tally = Tally()
    for record in case.kept.records:
        tally.keep(record)
    summary = StudySummary(case.kept.records, tally.finished)
    kept = case.kept
    facts = study_facts(case.plan, kept.name, kept.identity, kept.baselines, len(kept.openings))
    return summary, replace(facts, total=summary.finished)


def _verdict(ruling: Ruling, case: Case, version: str | None, model: str) -> list[str]:
    """What was decided and what to do next, a line each."""
    judged, lines = ruling.judged, []
    if ruling.passed_over is not None:
        network, against = ruling.passed_over
        lines += [f"Network {network.entrant.name} not promoted: {line}." for line in against]
    if version is not None:
        forced = f" by force, although {'; '.join(ruling.against)}" if ruling.against else ""
        lines += [
            f"Promoted{forced}: version {version} of model {model} is champion, "
            f"{judged.entrant.name}.",
            f"Use it: {commands.module('search.predict', '--data', 'FILE.csv')}",
        ]
        return lines
    lines += [f"Not promoted: {line}" for line in ruling.against]
    if case.serve_best:
        lines.append("What is in service stays there.")
        return lines
    name = case.floor.strongest
    floor = judged.compared[name].other if name in judged.compared else judged.scores.rmse
    again = commands.module("search.promote", "--study", case.kept.name, "--serve-best")
    return [
        *lines,
        f"--serve-best would serve {name}, the baseline that was the strongest in the re-test: "
        f"RMSE {floor:.4g} {case.unit} on these test hours.",
        f"Next: {again}",
        "Or a search of more trials or another space (--trials, --study), or --force, which puts "
        "your name to it. Every further run opens the test period once more.",
    ]


def _facts(
    case: Case, ruling: Ruling, scores: dict[str, Scores], version: str | None, model: str
) -> dict[str, Any]:
    judged = ruling.judged
    passed_over = ruling.passed_over
    return {
        "promoted": version is not None,
        "version": version,
        "model": model,
        "winner": judged.entrant.name,
        "kind": "network" if judged.entrant.network else "baseline",
        "opening": case.opening,
        "unit": case.unit,
        "objections": ruling.against,
        "network_objections": [] if passed_over is None else passed_over[1],
        "coverage": asdict(judged.coverage),
        "half_width": judged.half.mean(axis=0).tolist(),
        "scores": {name: one.as_dict() for name, one in scores.items()},
        "compared": [asdict(one) for one in judged.all_compared],
        "retest": [_retested(one) for one in case.ranked],
        "retest_baselines": case.floor.means,
    }


def _regime(kept: KeptStudy, chosen: Ranked) -> str:
    """The fit of the winner's trial in the search."""
    regimes = fits(kept.records, kept.baselines)
    own = (r.number for r in kept.records if r.parameters == chosen.candidate.parameters)
    return next((str(regimes[number].regime) for number in own if number in regimes), "unknown")


def _register(
    plan: Plan, judged: Judged, registry: Registry, run: str, page: str, place: Path
) -> str:
    """Make the served model, see that it forecasts as what was judged did, and register it."""
    source, prepared = plan.experiment.source, judged.opened.prepared
    entrant, origins = judged.entrant, prepared.validation.origins
    interval = {
        "begin": entrant.begin.as_plain(),
        "end": judged.after.as_plain(),
        "until": plan.series.local[origins[-1]].isoformat(),
    }
    window = max(plan.experiment.framing.window, entrant.history)
    facts = facts_of(
        plan.series,
        plan.experiment.framing.model_copy(update={"window": window}),
        prepared.scaler,
        prepared.train_rows,
        source.time_name,
        source.tz,
        interval,
    ) | {"reading": plan.report.rules.model_dump(mode="json")}
    rows = raw_rows(plan.series, source.time_name)
    folder = place / "model"
    save(folder, entrant.model, facts, rows.iloc[:window])
    off = float(np.abs(forecast_windows(folder, rows, origins) - entrant.forecast).max())
    if off > _SAME * prepared.target_range:
        raise Refused(
            f"the model as it would be served forecasts up to {off:.4g} {plan.series.unit} "
            "differently from the one that was judged; nothing was promoted"
        )
    version = registry.add(run, folder, page, {"unit": plan.series.unit})
    registry.fetch(version, place / "fetched")
    return version


def _write_files(place: Path, case: Case, judged: Judged, page: str) -> None:
    place.mkdir()
    (place / "model_card.md").write_text(page, encoding="utf-8")
    lines = ranking_lines(case.ranked, case.floor.means, case.unit)
    (place / "retest.txt").write_text("\n".join(lines), encoding="utf-8")
    prepared = judged.opened.prepared
    times = prepared.history.local[prepared.validation.origins]
    week = Week(
        f"Actual and forecast, first {min(168, len(times))} test hours",
        times,
        judged.opened.actual[:, 0],
        judged.entrant.forecast[:, 0],
    )
    (place / "test_week.png").write_bytes(png(one_week(week, case.unit)))


def _periods(plan: Plan, opened: Opened) -> str:
    local, first = plan.series.local, opened.prepared.train_rows
    framing = plan.experiment.framing
    return (
        f"learned from {local[0]:%Y-%m-%d %H:%M} to {local[first - 1]:%Y-%m-%d %H:%M}, tested to "
        f"{local[-1]:%Y-%m-%d %H:%M} (local clock); windows of {framing.window} hours, "
        f"{framing.horizon} ahead"
    )


def _retested(one: Ranked) -> dict[str, Any]:
    plain = asdict(one)
    del plain["candidate"]
    return one.candidate.as_dict() | plain

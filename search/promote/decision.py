"""The winner on the test hours: judged beside all others, let through or not, registered."""

import contextlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_pipeline.windows import split_origins
from models.metrics import Scores
from search import commands
from search.errors import Refused
from search.figures import Week, one_week, png
from search.kept_runs import KeptRuns, NotThere
from search.optuna_records import KeptStudy
from search.plan import Plan, study_facts
from search.promote.gate import Compared, compare, covered, objections
from search.promote.model import facts_of, forecast_windows, model_files, raw_rows, save
from search.promote.opening import Opened, Refit
from search.promote.ranking import Ranked
from search.promote.registry import Registry
from search.promote.words import card, compared_lines, ranking_lines, score_table
from search.stores import Stores
from search.summary import StudySummary, fits
from search.tally import Tally
from search.wording import description

FloatArray = npt.NDArray[np.float64]

OURS = "this model"
# Between what the worker forecast and what the registered model does, in ranges of the target.
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
class Judged:
    """The refitted winner beside all others on the test hours.

    Attributes:
        fitted: the winner. opened: the hours.
        half: float64 (horizon,), half the width of its 90 % interval, in the data's unit.
        compared: with the baselines, by name. champion: with the champion, None without one.
        champion_version: of the champion, None without one.
    """

    fitted: Refit
    opened: Opened
    half: FloatArray
    compared: dict[str, Compared]
    champion: Compared | None
    champion_version: str | None

    @property
    def coverage(self) -> float:
        """The share of test hours within the 90 % interval."""
        return covered(self.fitted.forecast - self.opened.actual, self.half)

    @property
    def all_compared(self) -> list[Compared]:
        """The champion first, then the baselines, the strongest first."""
        rivals = sorted(self.compared.values(), key=lambda one: one.other)
        return [*([self.champion] if self.champion else []), *rivals]


def judge(
    plan: Plan, fitted: Refit, opened: Opened, half: FloatArray, registry: Registry
) -> Judged:
    """Compare the winner with the baselines and the champion of this moment, on the same hours.

    Raises:
        Refused: the champion forecasts something else, or was changed.
    """
    errors = fitted.forecast - opened.actual
    compared = {
        name: compare(name, errors, forecast - opened.actual)
        for name, forecast in opened.baselines.items()
    }
    champion = None
    with tempfile.TemporaryDirectory() as place:
        known = champion_of(plan, registry, Path(place))
        if known is not None:
            rows = raw_rows(plan.series, known.facts["time"])
            origins = opened.prepared.validation.origins
            forecast = forecast_windows(known.folder, rows, origins)
            champion = compare(f"version {known.version}", errors, forecast - opened.actual)
    version = None if known is None else known.version
    return Judged(fitted, opened, half, compared, champion, version)


@dataclass(frozen=True)
class Champion:
    """The version in service: its folder, if it is still there, and its facts."""

    version: str
    folder: Path
    facts: dict[str, Any]

    def overlap(self, plan: Plan) -> str:
        """Say whether it has learned from hours that the challenger will be judged on."""
        first = split_origins(len(plan.series), plan.experiment.framing)[2].start
        since, until = plan.series.local[first], pd.Timestamp(self.facts["learned_until"])
        if until < since:
            return f"The champion, version {self.version}, has not learned from the test hours"
        return (
            f"The champion, version {self.version}, learned from data up to {until}, and the test "
            f"period begins {since}: on those hours the comparison favours it"
        )


def champion_of(plan: Plan, registry: Registry, place: Path | None = None) -> Champion | None:
    """The version in service, checked to forecast the same as the study; None without one.

    Args:
        plan: of the study.
        registry: of the model.
        place: folder to copy it to; None for one that is gone when this returns.

    Raises:
        Refused: it forecasts something else, or is not what was registered.
    """
    if place is None:
        with tempfile.TemporaryDirectory() as passing:
            return champion_of(plan, registry, Path(passing))
    version = registry.champion()
    if version is None:
        return None
    folder = registry.fetch(version, place)
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
    return Champion(version, folder, facts)


def decide(
    force: bool,
    stores: Stores,
    plan: Plan,
    kept: KeptStudy,
    ranked: Sequence[Ranked],
    chosen: Ranked,
    judged: Judged,
    number: int,
    registry: Registry,
) -> Outcome:
    """Pass the gate or not, register, log, and say all of it.

    Args:
        force: promote against the gate.
        stores: where MLflow is.
        plan: of the study.
        kept: the study.
        ranked: the re-test.
        chosen: its winner.
        judged: the winner on the test hours.
        number: of the opening of the test period.
        registry: held by this process.
    """
    unit = plan.series.unit
    against = objections(judged.compared, judged.champion, unit)
    scores = {OURS: judged.opened.score(judged.fitted.forecast)}
    scores |= {name: judged.opened.score(f) for name, f in judged.opened.baselines.items()}
    summary = _summary(kept)
    facts = study_facts(plan, kept.name, kept.identity, kept.baselines, len(kept.openings))
    facts = replace(facts, total=summary.finished)
    about = {
        "periods": _periods(plan, judged.opened),
        "opening": number,
        "coverage": judged.coverage,
        "half_width": float(judged.half[0]),
        "regime": _regime(kept, chosen),
        "objections": against,
        "limits": LIMITS,
    }
    promoted = not against or force
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
                made = _register(plan, judged, registry, run, page, place)
                registry.put_in_service(
                    made,
                    judged.champion_version,
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
                version = made
        finally:
            _write_files(place / "files", plan, judged, ranked, page)
            # Whatever came before is the reason that counts.
            with contextlib.suppress(NotThere):
                runs.describe(description(summary, facts))
                status = "FINISHED" if version is not None else "FAILED"
                runs.end_promotion(run, page, _metrics(scores, judged), place / "files", status)
    lines = [
        *score_table(scores, unit),
        "",
        *compared_lines(judged.all_compared, unit),
        f"90 % interval: +- {judged.half[0]:.4g} {unit} at the first hour; it covered "
        f"{judged.coverage:.1%} of the test hours",
        *(["The test period of these data had been opened before."] if number > 1 else []),
        "",
    ]
    if version is not None:
        forced = f" by force, although {'; '.join(against)}" if against else ""
        lines.append(f"Promoted{forced}: version {version} of model {registry.name} is champion.")
        lines.append(f"Use it: {commands.module('search.predict', '--data', 'FILE.csv')}")
    else:
        lines += [f"Not promoted: {line}" for line in against]
        lines.append(
            "Next: a search of more trials or another space (--trials, --study), or --force, which "
            "puts your name to it. Every further run opens the test period once more."
        )
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
            "retest": [_retested(one) for one in ranked],
        },
    )


def _regime(kept: KeptStudy, chosen: Ranked) -> str:
    """The fit of the winner's trial in the search."""
    regimes = fits(kept.records, kept.baselines)
    own = (r.number for r in kept.records if r.parameters == chosen.candidate.parameters)
    return next((str(regimes[number].regime) for number in own if number in regimes), "unknown")


def _summary(kept: KeptStudy) -> StudySummary:
    tally = Tally()
    for record in kept.records:
        tally.keep(record)
    return StudySummary(kept.records, tally.finished)


def _register(
    plan: Plan, judged: Judged, registry: Registry, run: str, page: str, place: Path
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
    place: Path, plan: Plan, judged: Judged, ranked: Sequence[Ranked], page: str
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


def _metrics(scores: Mapping[str, Scores], judged: Judged) -> dict[str, float]:
    metrics = {f"test_{name}": value for name, value in scores[OURS].as_dict().items()}
    metrics |= {f"test_rmse_{name}": one.rmse for name, one in scores.items() if name != OURS}
    if judged.champion is not None:
        metrics["test_rmse_champion"] = judged.champion.other
    return metrics | {"test_coverage_90": judged.coverage}


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

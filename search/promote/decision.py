"""The end of a promotion: rule, register, put into service, and log it to MLflow."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from search.common.records import StudyFacts
from search.common.stores import Stores
from search.engine.facts import data_facts, facts_of_kept
from search.figures import Week, one_week, png
from search.promote.judging import Judged, promotion_metrics
from search.promote.outcome import Outcome, card_of, outcome_of, scores_of
from search.promote.registering import register
from search.promote.ruling import Case, rule
from search.promote.text import parts_text, ranking_lines
from search.results.summary import StudySummary
from search.serving.registry import Registry
from search.tracking.descriptions import description
from search.tracking.existing_runs import KeptRuns, NotThere
from search.tuning.attempts import Tally


def decide(entrants: Sequence[Judged], case: Case, stores: Stores, registry: Registry) -> Outcome:
    """Pass the gate or not, register, log, and say all of it.

    Args:
        entrants: the network, alone or blended, if there is one, and the baseline if it may serve.
        case: the study and what was found out before.
        stores: where MLflow is.
        registry: held by this process.
    """
    ruling = rule(entrants, case)
    judged, unit = ruling.judged, case.unit
    scores = scores_of(entrants, judged)
    summary, facts = _study(case)
    page = card_of(case, ruling, scores, facts)
    version = None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        runs = KeptRuns(stores.tracking, case.plan.experiment.name, case.kept.identity)
        run = runs.begin_promotion(
            f"promotion {case.opening}",
            {
                "unit": unit,
                "test_opening": str(case.opening),
                "model": registry.name,
                "parts": parts_text(judged.parts),
            },
        )
        try:
            if ruling.promoted:
                made = register(case.plan, judged, registry, run, page, place)
                registry.put_in_service(
                    made,
                    judged.champion_version,
                    {
                        "study": case.kept.name,
                        "run": run,
                        "winner": judged.entrant.name,
                        "parts": judged.parts,
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
                runs.describe(description(summary, facts))
                status = "FINISHED" if version is not None else "FAILED"
                runs.end_promotion(run, page, promotion_metrics(judged), place / "files", status)
    return outcome_of(case, ruling, scores, version, registry.name, stores)


def _study(case: Case) -> tuple[StudySummary, StudyFacts]:
    tally = Tally()
    for record in case.kept.records:
        tally.keep(record)
    summary = StudySummary(case.kept.records, tally.finished)
    facts = facts_of_kept(case.kept, case.plan.experiment)
    # Studies of before it was kept have no report of their data.
    data = facts.data or data_facts(case.plan)
    return summary, replace(facts, total=summary.finished, data=data)


def _write_files(place: Path, case: Case, judged: Judged, page: str) -> None:
    place.mkdir()
    (place / "model_card.md").write_text(page, encoding="utf-8")
    lines = ranking_lines(case.ranked, case.floor.means, case.unit)
    lines += [] if case.contender is None else ["", *case.contender.lines(case.unit)]
    (place / "retest.txt").write_text("\n".join(lines), encoding="utf-8")
    prepared = judged.opened.prepared
    times = prepared.history.local[prepared.held_out.origins]
    week = Week(
        f"Actual and forecast, first {min(168, len(times))} test hours",
        times,
        judged.opened.actual[:, 0],
        judged.entrant.forecast[:, 0],
    )
    (place / "test_week.png").write_bytes(png(one_week(week, case.unit)))

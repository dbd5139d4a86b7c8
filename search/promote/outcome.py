"""What came of a promotion: scores, model card and verdict for people, facts for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.metrics import Scores
from search.common import commands
from search.common.records import StudyFacts
from search.common.stores import Stores
from search.engine.opened_period import Opened
from search.engine.plan import Plan
from search.promote.judging import Judged
from search.promote.ranking import Ranked
from search.promote.ruling import Case, Ruling
from search.promote.text import card, compared_lines, coverage_lines, part_lines, score_table
from search.results.payoff import Payoff, sentence
from search.results.summary import fits
from search.tuning.kept_studies import KeptStudy

OURS = "this model"
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


def outcome_of(
    case: Case,
    ruling: Ruling,
    scores: dict[str, Scores],
    version: str | None,
    model: str,
    stores: Stores,
) -> Outcome:
    """What was decided, for people and for programs.

    Args:
        case: the study and what was found out before.
        ruling: who is promoted, or why nobody is.
        scores: see `scores_of`.
        version: that was put into service; None if none was.
        model: name of the registered model.
        stores: to which the commands that are printed lead.
    """
    judged, unit = ruling.judged, case.unit
    lines = [
        *score_table(scores, unit),
        "",
        *part_lines(judged.parts, unit),
        *compared_lines(judged.all_compared, unit),
        *coverage_lines(judged.coverage, judged.half, unit),
        *(["The test period of these data had been opened before."] * (case.opening > 1)),
        "",
        *_payoff(case),
        *_verdict(ruling, case, version, model, stores),
    ]
    return Outcome(version is not None, lines, _facts(case, ruling, scores, version, model))


def scores_of(entrants: Sequence[Judged], judged: Judged) -> dict[str, Scores]:
    """All on the test hours: the one it is about as `OURS`, the others, and parts, by name."""
    opened: Opened = judged.opened
    everybody = dict(opened.baselines)
    for one in entrants:
        everybody |= {part.name: part.forecast for part in one.entrant.parts}
        everybody[one.entrant.name] = one.entrant.forecast
    del everybody[judged.entrant.name]
    scores = {OURS: judged.scores}
    return scores | {name: opened.score(forecast) for name, forecast in everybody.items()}


def card_of(case: Case, ruling: Ruling, scores: dict[str, Scores], facts: StudyFacts) -> str:
    """The model card of the one that a ruling is about, Markdown; `facts` are of the study."""
    judged = ruling.judged
    own = judged.entrant.parts[0].name
    chosen = next((r for r in case.ranked if r.candidate.name == own), None)
    blended = [] if case.contender is None else case.contender.lines(case.unit)
    about = {
        "parts": judged.parts,
        "blended": blended,
        "periods": _periods(case.plan, judged.opened),
        "opening": case.opening,
        "coverage": coverage_lines(judged.coverage, judged.half, case.unit),
        "regime": "" if chosen is None else _regime(case.kept, chosen),
        "floor": case.floor.means,
        "objections": ruling.against if judged.entrant.network else [],
        "limits": LIMITS,
    }
    who = judged.entrant.name if chosen is None else chosen
    return card(facts, who, scores, judged.all_compared, about)


def _payoff(case: Case) -> list[str]:
    """Whether an LSTM pays on these data, by the re-test; none if no network was trained again."""
    if case.kept.payoff is None or case.contender is None:
        return []
    return [sentence(Payoff.model_validate(case.kept.payoff), case.unit), ""]


def _verdict(
    ruling: Ruling, case: Case, version: str | None, model: str, stores: Stores
) -> list[str]:
    """What was decided and what to do next, a line each."""
    judged, lines = ruling.judged, []
    if ruling.passed_over is not None:
        network, against = ruling.passed_over
        what = f"{network.entrant.kind.capitalize()} {network.entrant.name}"
        lines += [f"{what} not promoted: {line}." for line in against]
    if version is not None:
        use = ("--data", "FILE.csv", *stores.words("--tracking-uri"))
        forced = f" by force, although {'; '.join(ruling.against)}" if ruling.against else ""
        lines += [
            f"Promoted{forced}: version {version} of model {model} is champion, "
            f"{judged.entrant.name}.",
            f"Use it: {commands.module('search.predict', *use)}",
        ]
        return lines
    lines += [f"Not promoted: {line}" for line in ruling.against]
    if case.serve_best:
        lines.append("What is in service stays there.")
        return lines
    name = case.floor.strongest
    floor = judged.compared[name].other if name in judged.compared else judged.scores.rmse
    places = stores.words("--storage", "--tracking-uri")
    again = commands.module("search.promote", "--study", case.kept.name, *places, "--serve-best")
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
    passed_over, contender = ruling.passed_over, case.contender
    combined = None if contender is None else contender.combined
    return {
        "promoted": version is not None,
        "version": version,
        "model": model,
        "winner": judged.entrant.name,
        "kind": judged.entrant.kind,
        "parts": judged.parts,
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
        "retest_network": None if contender is None else asdict(contender.against_floor),
        "payoff": None if contender is None else case.kept.payoff,
        "retest_blend": None if combined is None else combined.as_dict(),
    }


def _regime(kept: KeptStudy, chosen: Ranked) -> str:
    """The fit of the winner's trial in the search."""
    regimes = fits(kept.records, kept.baselines)
    own = (r.number for r in kept.records if r.parameters == chosen.candidate.parameters)
    return next((str(regimes[number].regime) for number in own if number in regimes), "unknown")


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

"""Makes one self-contained page from facts and drawn figures."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined

from models.metrics import IN_TABLES
from search.common.drawing import OPTUNA
from search.common.records import Importance
from search.common.spool import Forecasts
from search.report.best_regions import Region
from search.report.fonts import embedded
from search.report.slider import axis_views, shown_curves
from search.report.translations import CLAIMS, WORDS, Language
from search.report.values import ComparisonRow, DifferenceRow, Facts, FoundRow, StudyRow
from search.report.verdict import CLAIMS_COMMAND, SEARCH_COMMAND, sentences
from search.report.wall import wall, way_notes
from search.results.axes import Curve
from search.results.axes_figure import network
from search.results.explanation import setting_name
from search.results.score_cells import cell
from search.results.sequential import Verdict
from search.results.summary import amount

TRADEOFF_COMMAND = "python -m search.run --experiment tradeoff"
# The columns of the table of all scores.
_COLUMNS = tuple(metric for metric in IN_TABLES if metric.unit == "data")


def render(
    facts: Facts,
    svgs: Mapping[str, str],
    language: Language,
    forecasts: Mapping[tuple[str, int], Forecasts] = MappingProxyType({}),
) -> str:
    """Return the page.

    Args:
        facts: the facts of the studies.
        svgs: the drawn figures as SVG elements, by name.
        language: the page's language.
        forecasts: forecasts of trials, by study and number, for the slider.
    """
    words = WORDS[language]
    context = {
        "language": language,
        "words": words,
        "wall": wall(facts, language, forecasts),
        "axes": axis_views(shown_curves(facts.tradeoff), forecasts, facts.unit, words),
        "way_notes": way_notes(facts, language),
        "verdict": sentences(facts, language),
        "arms": _arms(facts, words),
        "figures": svgs,
        "no_week": words["no_week"],
        "claims": _claim_lines(facts, language),
        "retried": _retried(facts, words),
        "untried": _untried(facts, words),
        "found": _found_lines(facts, words),
        "not_searched": words["not_searched"].format(command=SEARCH_COMMAND),
        "score_heads": [f"{words[metric.name]} {facts.unit}" for metric in _COLUMNS],
        "scores": _score_lines(facts, words),
        "scores_note": words["scores_note"].format(test=_openings(facts, words)),
        "studies": [_study_line(study, words) for study in facts.studies],
    }
    environment = Environment(
        loader=PackageLoader("search.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    bare = template.render(context, font="")
    return bare if language == "en" else template.render(context, font=embedded(bare))


def _arms(facts: Facts, words: Mapping[str, str]) -> list[str]:
    if not facts.tradeoff:
        return [words["no_curves"].format(command=TRADEOFF_COMMAND)]
    seen = words["arms_seen"].format(
        count=len(facts.tradeoff),
        overfit=sum(curve.overfit is not None for curve in facts.tradeoff),
        underfit=sum(curve.underfit is not None for curve in facts.tradeoff),
    )
    return [seen, *(_arms_of(curve, facts.unit, words) for curve in facts.tradeoff)]


def _arms_of(curve: Curve, unit: str, words: Mapping[str, str]) -> str:
    lowest = curve.levels[curve.lowest]
    arms = [
        words[f"arm_{side}"].format(
            value=f"{curve.levels[at].value:.3g}",
            train=amount(curve.levels[at].train.mean),
            validation=amount(curve.levels[at].validation.mean),
            unit=unit,
        )
        if at is not None
        else words[f"no_arm_{side}"]
        for side, at in (("overfit", curve.overfit), ("underfit", curve.underfit))
    ]
    return words["arms"].format(
        network=network(curve, words),
        axis=words[f"axis_{curve.axis}"],
        value=f"{lowest.value:.3g}",
        rmse=amount(lowest.validation.mean),
        unit=unit,
        seeds=lowest.seeds,
        arms=" ".join(arms),
    )


@dataclass(frozen=True)
class _ClaimLine:
    """A line in the table of claims; id, says and verdict span the `rows` of the claim."""

    first: bool
    id: str
    says: str
    verdict: str
    kind: str
    rows: int
    against: str
    metric: str
    difference: str
    seeds: int
    needed: str


def _claim_lines(facts: Facts, language: Language) -> list[_ClaimLine]:
    words = WORDS[language]
    return [
        _ClaimLine(
            first=at == 0,
            id=claim.id,
            says=CLAIMS[language][claim.id],
            verdict=words[claim.verdict or "not_tried"],
            kind=(claim.verdict or Verdict.UNDECIDED).replace(" ", "-"),
            rows=len(claim.comparisons),
            against=words["against"].format(treatment=one.treatment, control=one.control),
            metric=f"{_measured(one, words)}; {words['expected_' + one.expected]}",
            difference=words["not_measured"]
            if one.difference is None
            else _interval(one.difference, facts.unit if one.in_unit else ""),
            seeds=0 if one.difference is None else one.difference.pairs,
            needed=_needed(one, words),
        )
        for claim in facts.claims
        if any(one.difference for one in claim.comparisons)
        for at, one in enumerate(claim.comparisons)
    ]


def _retried(facts: Facts, words: Mapping[str, str]) -> str:
    """The claims that are judged by fresh seeds, a sentence for each number of seeds."""
    fresh = sorted((claim for claim in facts.claims if claim.fresh), key=lambda one: one.looked)
    told = [
        words["claims_retried"].format(list=", ".join(one.id for one in some), seeds=seeds)
        for seeds, some in itertools.groupby(fresh, key=lambda one: one.looked)
    ]
    return " ".join(told)


def _untried(facts: Facts, words: Mapping[str, str]) -> str:
    """The claims without any measurement, in one line; "" if there are none."""
    names = [one.id for one in facts.claims if not any(c.difference for c in one.comparisons)]
    if not names:
        return ""
    return words["claims_untried"].format(list=", ".join(names), command=CLAIMS_COMMAND)


def _measured(one: ComparisonRow, words: Mapping[str, str]) -> str:
    name = words[one.metric]
    return name if one.metric in ("gap", "seconds") else f"{name}, {words[one.period]}"


def _interval(difference: DifferenceRow, unit: str) -> str:
    def write(value: float) -> str:
        return amount(value, "+") if unit else f"{value:+.3f}"

    text = write(difference.mean) + (f" {unit}" if unit else "")
    if difference.low is None or difference.high is None:
        return text
    return f"{text} ({write(difference.low)} ~ {write(difference.high)})"


def _needed(one: ComparisonRow, words: Mapping[str, str]) -> str:
    if one.seeds_needed is not None:
        return str(one.seeds_needed)
    return words["more_than"] if one.difference and one.difference.pairs > 1 else ""


@dataclass(frozen=True)
class _FoundLine:
    """A parameter in the table of the search's findings."""

    study: str
    name: str
    importance: str
    searched: str
    best: str
    edge: str


def _found_lines(facts: Facts, words: Mapping[str, str]) -> list[_FoundLine]:
    return [
        _found_line(found.study, region, share, words)
        for found in facts.found
        for region, share in _by_importance(found)
    ]


def _by_importance(found: FoundRow) -> list[tuple[Region, Importance | None]]:
    """The regions with their importances, largest first; regions without one come last."""
    shares = {one.name: one for one in found.importances}
    pairs = [(region, shares.get(region.name)) for region in found.regions]
    return sorted(pairs, key=lambda pair: 0.0 if pair[1] is None else -pair[1].mean)


def _found_line(
    study: str, region: Region, share: Importance | None, words: Mapping[str, str]
) -> _FoundLine:
    return _FoundLine(
        study=study,
        name=setting_name(region.name, words),
        importance=f"{share.mean:.2f} ({share.low:.2f} ~ {share.high:.2f})" if share else "",
        searched=_range(region.low, region.high),
        best=_range(region.best_low, region.best_high)
        or ", ".join(f"{value} ({count})" for value, count in region.counts),
        edge=words[f"edge_{region.edge}"] if region.edge else "",
    )


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3g} ~ {high:.3g}"


@dataclass(frozen=True)
class _ScoreLine:
    """A forecaster in the table of all scores; `sd` belongs to the first of its `cells`."""

    name: str
    order: float
    cells: Sequence[str]
    sd: str
    skill: str
    regime: str


def _score_lines(facts: Facts, words: Mapping[str, str]) -> list[_ScoreLine]:
    lines = []
    for study in facts.studies:
        drawn = [row for row in facts.trials if row.study == study.name and not row.design]
        if not drawn:
            continue
        best = min(drawn, key=lambda row: row.val["rmse"])
        name = words["best_row"].format(
            name=words["trial"].format(number=best.trial), study=study.name, tuner=study.drawn_by
        )
        lines.append(_score_line(name, best.val, best.skill, regime=words[best.regime]))
    for design in facts.designs:
        name = words["design_row"].format(name=design.name, seeds=design.seeds)
        most = max(design.regimes, key=lambda regime: design.regimes[regime])
        lines.append(_score_line(name, design.val, design.skill, design.val_rmse_sd, words[most]))
    lines += [_score_line(row.name, row.val, row.skill) for row in facts.baselines]
    return sorted(lines, key=lambda line: line.order)


def _score_line(
    name: str,
    val: Mapping[str, float],
    skill: float | None,
    spread: float | None = None,
    regime: str = "",
) -> _ScoreLine:
    return _ScoreLine(
        name=name,
        order=val["rmse"],
        cells=[cell(metric, val.get(metric.name)) for metric in _COLUMNS],
        sd="" if spread is None else amount(spread),
        skill="" if skill is None else f"{skill:+.1%}",
        regime=regime,
    )


def _openings(facts: Facts, words: Mapping[str, str]) -> str:
    count = sum(study.openings for study in facts.studies)
    return words["test_opened"].format(count=count) if count else words["test_closed"]


@dataclass(frozen=True)
class _StudyLine:
    """A study in the table "how to repeat it"."""

    name: str
    experiment: str
    data: str
    columns: Sequence[str]
    windows: str
    seed: int
    made_with: str
    attempts: str
    command: str


def _study_line(study: StudyRow, words: Mapping[str, str]) -> _StudyLine:
    return _StudyLine(
        name=study.name,
        experiment=study.experiment,
        data=study.data,
        columns=study.columns,
        windows=words["window_text"].format(**study.framing),
        seed=study.seed,
        made_with=", ".join(f"{k} {v}" for k, v in sorted(study.made_with.items()) if v),
        attempts=", ".join(
            words["attempts_in"].format(count=count, state=words[f"state_{state}"])
            for state, count in study.attempts.items()
        ),
        command=_command(study),
    )


def _command(study: StudyRow) -> str:
    drawn = "" if study.tuner == OPTUNA else f" --tuner {study.tuner} --sampler {study.sampler}"
    total = f" --trials {study.total}" if study.total else ""
    return (
        f"python -m search.run --experiment {study.experiment} --study {study.name}{total} "
        f"--seed {study.seed}{drawn}"
    )

"""The facts of the report: pure functions from kept studies to typed facts."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from data_pipeline.framing import Framing
from experiments.catalogue import CATALOGUE
from experiments.claims import CLAIMS
from experiments.open_claim_c4 import EXPERIMENT as OPEN_CLAIM_C4
from experiments.open_claims import EXPERIMENT as OPEN_CLAIMS
from experiments.slips import CLAIM as SLIPS
from experiments.space import Space
from experiments.teaching_notes import DOCUMENTED
from models.metrics import IN_REPORT, METRICS
from models.regime import Fit, Regime
from search.common.drawing import OPTUNA, drawn_by
from search.common.records import State, TrialRecord, TrialResult
from search.report.best_regions import regions
from search.report.values import (
    BaselineRow,
    ClaimRow,
    ComparisonRow,
    DesignRow,
    DifferenceRow,
    Facts,
    FoundRow,
    StudyRow,
    TrialRow,
    TypicalRow,
)
from search.results.axes import Curve, Trial, curves
from search.results.claims import Compared, Judged, judge
from search.results.explanation import Explanation
from search.results.paired_tests import Difference, Expected
from search.results.payoff import Payoff
from search.results.sequential import Verdict
from search.results.summary import fits, skill_of
from search.tuning.importance import importances
from search.tuning.kept_studies import KeptStudy

# Metrics that are shown of a trial, or of a design as a mean over seeds.
_SHOWN = tuple(metric.name for metric in IN_REPORT)
_IN_UNIT = frozenset(metric.name for metric in METRICS if metric.unit == "data")


def facts(studies: Sequence[KeptStudy]) -> Facts:
    """Collect the facts of studies on the same data.

    Trials of all studies are listed together. The attainable train error comes from all of them.

    Args:
        studies: at least one; the first gives unit and baselines.

    Raises:
        ValueError: there is no study, or data, unit or windows differ.
    """
    _check_same_data(studies)
    records = [record for study in studies for record in study.records]
    trained = [
        (record.result.train["rmse"], record.result.held_out["rmse"])
        for record in records
        if record.state is State.COMPLETE
        and record.result is not None
        and (record.framing is None or record.framing.train_weeks is None)
    ]
    by_study = [_trials(study, trained) for study in studies]
    trials = tuple(row for rows in by_study for row in rows)
    return Facts(
        unit=studies[0].contract["unit"],
        studies=tuple(_about(study) for study in studies),
        baselines=_baselines(studies[0]),
        designs=_designs(studies, by_study),
        trials=trials,
        best=min(trials, key=lambda row: (row.objective, row.trial), default=None),
        regimes=Counter(row.regime for row in trials),
        typical=_typical(studies, trials),
        claims=tuple(_claims(studies)),
        found=tuple(_found(study) for study in studies if any(not r.design for r in study.records)),
        tradeoff=_curves(studies),
        explanation=_explanation(studies),
        payoff=_payoff(studies),
    )


def _curves(studies: Sequence[KeptStudy]) -> tuple[Curve, ...]:
    rows = studies[0].data.get("rows")  # not kept by studies of earlier versions
    trials = [Trial(study.name, record) for study in studies for record in study.records]
    framing = Framing.model_validate(studies[0].contract["framing"])
    return tuple(curves(trials, framing, rows if isinstance(rows, int) else None))


def _explanation(studies: Sequence[KeptStudy]) -> Explanation | None:
    """The latest explanation of all studies."""
    found = [Explanation.model_validate(one) for study in studies for one in study.explanations]
    return max(found, key=lambda one: one.time, default=None)


def _payoff(studies: Sequence[KeptStudy]) -> Payoff | None:
    """By new seeds where one study has been tried so; then the network of the lowest error."""
    found = [Payoff.model_validate(one.payoff) for one in studies if one.payoff is not None]
    return min(found, key=lambda one: (one.where == "search", one.beside.challenger), default=None)


def in_a_week(found: Facts) -> list[TrialRow]:
    """The trials whose forecasts are drawn.

    For each documented design, this is the trial with the median validation RMSE. Then follows the
    best network found.
    """
    rows = []
    for design in DOCUMENTED:
        shown = next((row for row in found.designs if row.name == design.name), None)
        if shown is not None:
            own = [
                row
                for row in found.trials
                if row.design == design.name and row.study == shown.study
            ]
            own.sort(key=lambda row: (row.val["rmse"], row.trial))
            rows.append(own[len(own) // 2])
    best = found.best
    return rows if best is None or best in rows else [*rows, best]


def _check_same_data(studies: Sequence[KeptStudy]) -> None:
    if not studies:
        raise ValueError("a report needs at least one study")
    for study in studies[1:]:
        for key in ("data", "columns", "unit", "known_ahead", "framing"):
            own, first = study.contract.get(key), studies[0].contract.get(key)
            if own != first:
                raise ValueError(
                    f"studies {studies[0].name!r} and {study.name!r} cannot share a report, since "
                    f"their {key} differ: {first} and {own}"
                )


def _found(study: KeptStudy) -> FoundRow:
    space = Space(dimensions=tuple(study.contract["space"].values()))
    return FoundRow(
        study=study.name,
        regions=tuple(regions(study.records, space)),
        importances=tuple(importances(study.records, space)),
    )


def _about(study: KeptStudy) -> StudyRow:
    return StudyRow(
        name=study.name,
        experiment=study.contract["experiment"],
        tuner=study.contract.get("tuner", OPTUNA),
        sampler=study.contract.get("sampler"),
        drawn_by=drawn_by(study.contract),
        total=study.total,
        seed=study.contract["seed"],
        epochs=study.contract["epochs"],
        data=study.contract["data"],
        columns=study.contract["columns"],
        framing=study.contract["framing"],
        made_with=study.made_with,
        openings=len(study.openings),
        attempts=Counter(str(record.state) for record in study.records),
    )


def _baselines(study: KeptStudy) -> tuple[BaselineRow, ...]:
    rows = []
    for name, baseline in study.baselines.items():
        val = _shown(baseline.validation)
        rows.append(BaselineRow(name=name, val=val, skill=_skill(val, study)))
    return tuple(sorted(rows, key=lambda row: row.val["rmse"]))


def _trials(study: KeptStudy, trained: Iterable[tuple[float, float]]) -> list[TrialRow]:
    found = fits(study.records, study.baselines, trained)
    return [
        _trial(study, record, record.result, found[record.number])
        for record in study.records
        if record.state is State.COMPLETE and record.result is not None
    ]


def _trial(study: KeptStudy, record: TrialRecord, result: TrialResult, fit: Fit) -> TrialRow:
    assert record.parameters is not None
    return TrialRow(
        study=study.name,
        trial=record.number,
        design=record.design,
        seed=record.seed,
        parameters=record.parameters,
        train=_shown(result.train),
        val=_shown(result.held_out),
        skill=_skill(result.held_out, study),
        objective=result.objective,
        epochs=result.epochs,
        best_epoch=result.best_epoch,
        seconds=result.seconds,
        regime=fit.regime,
        gap=fit.gap,
        excess=fit.excess,
    )


def _designs(
    studies: Sequence[KeptStudy], by_study: Sequence[Sequence[TrialRow]]
) -> tuple[DesignRow, ...]:
    """Means over seeds. If several studies have a design, the study with the most seeds counts."""
    rows: dict[str, DesignRow] = {}
    for study, own in zip(studies, by_study, strict=True):
        by_design: dict[str, list[TrialRow]] = {}
        for row in own:
            if row.design:
                by_design.setdefault(row.design, []).append(row)
        for design, trials in by_design.items():
            if design not in rows or len(trials) > rows[design].seeds:
                rows[design] = _design(study, design, trials)
    return tuple(sorted(rows.values(), key=lambda row: row.val["rmse"]))


def _design(study: KeptStudy, design: str, trials: Sequence[TrialRow]) -> DesignRow:
    rmse = [row.val["rmse"] for row in trials]
    labels = [row.regime for row in trials]
    val = _mean([row.val for row in trials])
    return DesignRow(
        name=design,
        study=study.name,
        seeds=len(trials),
        parameters=trials[0].parameters,
        train=_mean([row.train for row in trials]),
        val=val,
        val_rmse_sd=statistics.stdev(rmse) if len(rmse) > 1 else None,
        skill=_skill(val, study),
        gap=statistics.fmean(row.gap for row in trials),
        excess=statistics.fmean(row.excess for row in trials),
        regimes={regime: labels.count(regime) for regime in Regime},
        seconds=statistics.fmean(row.seconds for row in trials),
    )


def _typical(studies: Sequence[KeptStudy], trials: Sequence[TrialRow]) -> tuple[TypicalRow, ...]:
    """For each regime, the trial with the median of the value that defines the regime."""
    histories = {
        (study.name, record.number): record.result.history
        for study in studies
        for record in study.records
        if record.result is not None
    }
    found = []
    for regime in Regime:
        own = [
            (row.gap if regime is Regime.OVERFIT else row.excess, row.study, row.trial, row)
            for row in trials
            if row.regime is regime
        ]
        if not own:
            continue
        row = sorted(own, key=lambda one: one[:3])[len(own) // 2][-1]
        history = histories[row.study, row.trial]
        found.append(
            TypicalRow(
                regime, row.study, row.trial, row.design, history["loss"], history["val_mse"]
            )
        )
    return tuple(found)


# In the order in which they judge what is still open.
_AGAIN = (OPEN_CLAIMS, OPEN_CLAIM_C4)


def _claims(studies: Sequence[KeptStudy]) -> Iterator[ClaimRow]:
    # The claim on the slips is our own. It is not one of the ten claims that are tested together.
    # A search trains the notes' networks, too, maybe on another machine: no seed pairs those.
    apart = {one.name for one in CATALOGUE.values() if one.sampled or one in _AGAIN}
    once = _records(studies, lambda name: name not in apart)
    judged = [(one, False) for one in (*judge((SLIPS,), once), *judge(CLAIMS, once))]
    for experiment in _AGAIN:
        fresh = _records(studies, experiment.name.__eq__)
        again = {one.claim.id: one for one in judge(experiment.claims, fresh) if one.looked}
        judged = [
            (again[one.claim.id], True)
            if one.verdict is Verdict.UNDECIDED and one.claim.id in again
            else (one, is_fresh)
            for one, is_fresh in judged
        ]
    for one, is_fresh in judged:
        yield _claim(one, is_fresh)


def _records(studies: Sequence[KeptStudy], of: Callable[[str], bool]) -> list[TrialRecord]:
    """The trials of studies whose experiment's name is one of these."""
    return [r for s in studies if of(str(s.contract["experiment"])) for r in s.records]


def _claim(judged: Judged, fresh: bool) -> ClaimRow:
    return ClaimRow(
        id=judged.claim.id,
        says=judged.claim.says,
        verdict=judged.verdict if all(one.difference for one in judged.compared) else None,
        looked=judged.looked,
        fresh=fresh,
        comparisons=tuple(_comparison(one) for one in judged.compared),
    )


def _comparison(compared: Compared) -> ComparisonRow:
    one, difference = compared.comparison, compared.difference
    return ComparisonRow(
        treatment=one.treatment,
        control=one.control,
        metric=one.metric,
        period=one.period,
        expected=one.expected,
        in_unit=one.metric in _IN_UNIT,
        difference=None if difference is None else _difference(difference, one.expected),
        seeds_needed=compared.seeds_needed,
    )


def _difference(difference: Difference, expected: Expected) -> DifferenceRow:
    repeated = difference.pairs > 1
    return DifferenceRow(
        mean=difference.mean,
        low=difference.low if repeated else None,
        high=difference.high if repeated else None,
        pairs=difference.pairs,
        control=difference.control,
        p=difference.p(expected),
    )


def _shown(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: metrics[name] for name in _SHOWN if name in metrics}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = [name for name in _SHOWN if all(name in row for row in rows)]
    return {name: statistics.fmean(row[name] for row in rows) for name in names}


def _skill(metrics: Mapping[str, float], study: KeptStudy) -> float | None:
    if not study.baselines:
        return None
    found = skill_of(metrics["rmse"], study.baselines)
    return found if math.isfinite(found) else None

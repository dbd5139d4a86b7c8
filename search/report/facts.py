"""What the report says, as plain values: pure functions of studies as they were kept."""

import dataclasses
import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.claims import CLAIMS
from experiments.slips import CLAIM as SLIPS
from experiments.space import Space
from experiments.teaching_notes import DOCUMENTED
from models.regime import Fit, Regime
from search.common.drawing import OPTUNA, drawn_by
from search.common.records import State, TrialRecord, TrialResult
from search.report.best_regions import regions
from search.report.claims import IN_UNIT, Judged, judge
from search.report.tradeoff import curves
from search.results.summary import fits, skill_of
from search.tuning.importance import importances
from search.tuning.kept_studies import KeptStudy

# What is shown of a trial or, as a mean over seeds, of a design.
SHOWN = ("rmse", "mae", "peak_bias", "amplitude_ratio", "roughness_ratio", "mase")


def facts(studies: Sequence[KeptStudy]) -> dict[str, Any]:
    """Collect the facts of studies on the same data, JSON-able.

    Trials of all studies stand beside each other, and what train error is attainable is known from
    all of them.

    Args:
        studies: at least one; the first gives unit and baselines.

    Raises:
        ValueError: there is no study, or they are of different data, unit or windows.
    """
    if not studies:
        raise ValueError("a report needs at least one study")
    for study in studies[1:]:
        for key in ("data", "columns", "unit", "framing"):
            own, first = study.contract.get(key), studies[0].contract.get(key)
            if own != first:
                raise ValueError(
                    f"studies {studies[0].name!r} and {study.name!r} cannot share a report, since "
                    f"their {key} differ: {first} and {own}"
                )
    records = [record for study in studies for record in study.records]
    trained = [
        record.result.train["rmse"]
        for record in records
        if record.state is State.COMPLETE and record.result is not None
    ]
    by_study = [_trials(study, trained) for study in studies]
    trials = [row for rows in by_study for row in rows]
    # The slips are ours to judge, not one of the ten claims that are tested at once.
    judged = [*judge((SLIPS,), records), *judge(CLAIMS, records)]
    return {
        "unit": studies[0].contract["unit"],
        "studies": [_about(study) for study in studies],
        "baselines": _baselines(studies[0]),
        "designs": _designs(studies, by_study),
        "trials": trials,
        "best": _best(trials),
        "regimes": dict(Counter(row["regime"] for row in trials)),
        "typical": _typical(studies, trials),
        "claims": [_claim(one) for one in judged],
        "found": [_found(study) for study in studies if any(not r.design for r in study.records)],
        "tradeoff": [dataclasses.asdict(curve) for curve in curves(records)],
    }


def in_a_week(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The trials whose forecasts are to be drawn.

    Of each documented design the one in the middle by validation RMSE, then the best network found.

    Args:
        found: what `facts` returned.
    """
    rows = []
    for design in DOCUMENTED:
        shown = next((row for row in found["designs"] if row["name"] == design.name), None)
        if shown is not None:
            own = [
                row
                for row in found["trials"]
                if row["design"] == design.name and row["study"] == shown["study"]
            ]
            own.sort(key=lambda row: (row["val"]["rmse"], row["trial"]))
            rows.append(own[len(own) // 2])
    best = found["best"]
    return rows if best is None or best in rows else [*rows, best]


def _found(study: KeptStudy) -> dict[str, Any]:
    space = Space(dimensions=tuple(study.contract["space"].values()))
    found = regions(study.records, space)
    ranked = importances(study.records, space)
    return {
        "study": study.name,
        "regions": [dataclasses.asdict(region) for region in found],
        "importances": [dataclasses.asdict(one) for one in ranked],
    }


def _about(study: KeptStudy) -> dict[str, Any]:
    return {
        "name": study.name,
        "experiment": study.contract["experiment"],
        "tuner": study.contract.get("tuner", OPTUNA),
        "sampler": study.contract.get("sampler"),
        "drawn_by": drawn_by(study.contract),
        "total": study.total,
        "seed": study.contract["seed"],
        "epochs": study.contract["epochs"],
        "data": study.contract["data"],
        "columns": study.contract["columns"],
        "framing": study.contract["framing"],
        "made_with": study.made_with,
        "openings": len(study.openings),
        "attempts": dict(Counter(str(record.state) for record in study.records)),
    }


def _baselines(study: KeptStudy) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, baseline in study.baselines.items():
        val = _shown(baseline.validation)
        rows.append({"name": name, "val": val, "skill": _skill(val, study)})
    return sorted(rows, key=lambda row: row["val"]["rmse"])


def _trials(study: KeptStudy, trained: list[float]) -> list[dict[str, Any]]:
    found = fits(study.records, study.baselines, trained)
    return [
        _trial(study, record, record.result, found[record.number])
        for record in study.records
        if record.state is State.COMPLETE and record.result is not None
    ]


def _trial(study: KeptStudy, record: TrialRecord, result: TrialResult, fit: Fit) -> dict[str, Any]:
    assert record.parameters is not None
    return {
        "study": study.name,
        "trial": record.number,
        "design": record.design,
        "seed": record.seed,
        "parameters": record.parameters.model_dump(mode="json"),
        "train": _shown(result.train),
        "val": _shown(result.validation),
        "skill": _skill(result.validation, study),
        "objective": result.objective,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "seconds": result.seconds,
        "regime": str(fit.regime),
        "gap": fit.gap,
        "excess": fit.excess,
    }


def _designs(
    studies: Sequence[KeptStudy], by_study: Sequence[list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Means over seeds; a design that several studies have is taken from the one with most."""
    rows: dict[str, dict[str, Any]] = {}
    for study, own in zip(studies, by_study, strict=True):
        by_design: dict[str, list[dict[str, Any]]] = {}
        for row in own:
            if row["design"]:
                by_design.setdefault(row["design"], []).append(row)
        for design, trials in by_design.items():
            if design not in rows or len(trials) > rows[design]["seeds"]:
                rows[design] = _design(study, design, trials)
    return sorted(rows.values(), key=lambda row: row["val"]["rmse"])


def _design(study: KeptStudy, design: str, trials: list[dict[str, Any]]) -> dict[str, Any]:
    rmse = [row["val"]["rmse"] for row in trials]
    regimes = Counter(row["regime"] for row in trials)
    val = _mean([row["val"] for row in trials])
    return {
        "name": design,
        "study": study.name,
        "seeds": len(trials),
        "parameters": trials[0]["parameters"],
        "train": _mean([row["train"] for row in trials]),
        "val": val,
        "val_rmse_sd": statistics.stdev(rmse) if len(rmse) > 1 else None,
        "skill": _skill(val, study),
        "gap": statistics.fmean(row["gap"] for row in trials),
        "excess": statistics.fmean(row["excess"] for row in trials),
        "regimes": {str(regime): regimes[str(regime)] for regime in Regime},
        "seconds": statistics.fmean(row["seconds"] for row in trials),
    }


def _best(trials: list[dict[str, Any]]) -> dict[str, Any] | None:
    return min(trials, key=lambda row: (row["objective"], row["trial"])) if trials else None


def _typical(studies: Sequence[KeptStudy], trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each regime the trial in the middle of what makes it one, with its losses by epoch."""
    histories = {
        (study.name, record.number): record.result.history
        for study in studies
        for record in study.records
        if record.result is not None
    }
    found = []
    for regime in Regime:
        own = [row for row in trials if row["regime"] == str(regime)]
        decides = "gap" if regime is Regime.OVERFIT else "excess"
        own.sort(key=lambda row: (row[decides], row["study"], row["trial"]))
        if own:
            row = own[len(own) // 2]
            history = histories[row["study"], row["trial"]]
            found.append(
                {
                    "regime": str(regime),
                    "study": row["study"],
                    "trial": row["trial"],
                    "design": row["design"],
                    "loss": history["loss"],
                    "val_mse": history["val_mse"],
                }
            )
    return found


def _claim(judged: Judged) -> dict[str, Any]:
    return {
        "id": judged.claim.id,
        "says": judged.claim.says,
        "verdict": str(judged.verdict) if all(one.difference for one in judged.compared) else None,
        "comparisons": [
            one.comparison.model_dump()
            | {
                "in_unit": one.comparison.metric in IN_UNIT,
                "difference": None
                if one.difference is None
                else {
                    "mean": one.difference.mean,
                    "low": one.difference.low if one.difference.pairs > 1 else None,
                    "high": one.difference.high if one.difference.pairs > 1 else None,
                    "pairs": one.difference.pairs,
                    "control": one.difference.control,
                    "p": one.difference.p(one.comparison.expected),
                },
                "seeds_needed": one.seeds_needed,
            }
            for one in judged.compared
        ],
    }


def _shown(metrics: dict[str, float]) -> dict[str, float]:
    return {name: metrics[name] for name in SHOWN if name in metrics}


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    names = [name for name in SHOWN if all(name in row for row in rows)]
    return {name: statistics.fmean(row[name] for row in rows) for name in names}


def _skill(metrics: dict[str, float], study: KeptStudy) -> float | None:
    if not study.baselines:
        return None
    found = skill_of(metrics["rmse"], study.baselines)
    return found if math.isfinite(found) else None

"""The results of a study: names, metrics, the scoreboard, fits, tables."""

import csv
import io
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from models.metrics import IN_TABLES, skill
from models.regime import (
    Fit,
    attainable,
    measure_fit,
)
from search.common.drawing import OPTUNA
from search.common.records import Baseline, Importance, State, StudyFacts, TrialRecord, best_of


@dataclass(frozen=True)
class StudySummary:
    """A study at one moment.

    Attributes:
        records: all attempts. finished: trials that have ended, each counted once.
        importances: importances of the parameters, largest first; empty if not computable yet.
        overhead_fraction: share of the workers' wall time that is not training, or None.
    """

    records: tuple[TrialRecord, ...]
    finished: int
    importances: tuple[Importance, ...] = ()
    overhead_fraction: float | None = None

    @cached_property
    def best(self) -> TrialRecord | None:
        """The completed attempt with the lowest objective, or None."""
        return best_of(self.records)

    def count(self, state: State) -> int:
        """The number of attempts in `state`."""
        return sum(record.state is state for record in self.records)


def trial_name(record: TrialRecord) -> str:
    """The name of a trial attempt for a person."""
    design = f" {record.design}" if record.design else ""
    attempt = f" attempt {record.attempt}" if record.attempt > 1 else ""
    return f"trial {record.number}{design}{attempt}"


def final_metrics(record: TrialRecord, facts: StudyFacts) -> dict[str, float]:
    """Return the finite metrics of a result by their MLflow names."""
    result = record.result
    assert result is not None
    metrics = {
        "best_val_mse": result.objective,
        "best_val_loss": result.history["val_loss"][result.best_epoch - 1],
        "train_mse": result.train_objective,
        "epochs_run": float(result.epochs),
        "best_epoch": float(result.best_epoch),
        "seconds": result.seconds,
        "seconds_per_epoch": result.seconds_per_epoch,
        "overhead_seconds": result.overhead_seconds,
        "parameter_count": float(result.parameter_count),
    }
    metrics |= {f"train_{name}": value for name, value in result.train.items()}
    metrics |= {f"val_{name}": value for name, value in result.held_out.items()}
    if facts.baselines:
        metrics["val_skill"] = skill_of(result.held_out["rmse"], facts.baselines)
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def skill_of(rmse: float, baselines: Mapping[str, Baseline]) -> float:
    """1 - RMSE / RMSE of the strongest baseline: below 0 if the baseline is better.

    Args:
        rmse: RMSE on the validation windows, in the data's unit.
        baselines: one or more, on the same windows.

    Returns:
        The skill; NaN if the strongest baseline makes no error.
    """
    return skill(rmse, min(one.validation["rmse"] for one in baselines.values()))


def scoreboard(summary: StudySummary, facts: StudyFacts) -> list[dict[str, object]]:
    """Rank the best trial, the fixed designs and the baselines on the validation windows.

    Returns:
        Rows, best first, with `name`, `kind` ("best", "design" or "baseline"), `best_val_mse`
        (scaled), the defined metrics of `IN_TABLES`, and `skill`. A design with several seeds has
        the means over them, `seeds`, and `rmse_sd`, the standard deviation (n - 1) of its RMSE.
    """
    rows: list[dict[str, object]] = []
    best = summary.best
    if best is not None and best.result is not None:
        name, result = f"best: {trial_name(best)}", best.result
        rows.append(_row(name, "best", result.objective, result.held_out, facts))
    seeds: dict[str, list[TrialRecord]] = {}
    for record in summary.records:
        if record.design and record.state is State.COMPLETE:
            seeds.setdefault(record.design, []).append(record)
    rows += [
        _design_row(design, records, facts)
        for design, records in seeds.items()
        if records != [best]  # else it already has its row
    ]
    for name, baseline in facts.baselines.items():
        rows.append(_row(name, "baseline", baseline.objective, baseline.validation, facts))
    return sorted(rows, key=lambda row: (row["best_val_mse"], row["kind"] != "best"))


def _design_row(design: str, records: list[TrialRecord], facts: StudyFacts) -> dict[str, object]:
    results = [record.result for record in records if record.result is not None]
    metrics = {
        name: statistics.fmean(result.held_out[name] for result in results)
        for name in results[0].held_out
        if all(name in result.held_out for result in results)
    }
    objective = statistics.fmean(result.objective for result in results)
    if len(results) == 1:
        name = f"{design} (trial {records[0].number})"
        return _row(name, "design", objective, metrics, facts)
    spread = statistics.stdev(result.held_out["rmse"] for result in results)
    name = f"{design} ({len(results)} seeds, sd {amount(spread)})"
    row = _row(name, "design", objective, metrics, facts)
    return row | {"seeds": len(results), "rmse_sd": spread}


def _row(
    name: str, kind: str, objective: float, metrics: dict[str, float], facts: StudyFacts
) -> dict[str, object]:
    row: dict[str, object] = {"name": name, "kind": kind, "best_val_mse": objective}
    scores = {m.name: metrics[m.name] for m in IN_TABLES if m.name in metrics}
    if facts.baselines:
        scores["skill"] = skill_of(metrics["rmse"], facts.baselines)
    # A metric that is not defined on these data is NaN, which JSON does not have.
    return row | {k: value for k, value in scores.items() if math.isfinite(value)}


def amount(value: float, sign: str = "") -> str:
    """Write a number in the data's unit: one decimal, below 10 three significant digits.

    So differences stay visible for a household in kW and for a state in MW. `sign` "+" shows a
    plus.
    """
    return format(value, f"{sign}.1f" if abs(value) >= 10 else f"{sign}.3g")


def fits(
    records: Iterable[TrialRecord],
    baselines: Mapping[str, Baseline],
    others: Iterable[tuple[float, float]] = (),
) -> dict[int, Fit]:
    """The fit of every completed trial by its number.

    Args:
        records: attempts of one study.
        baselines: scores on its validation windows.
        others: train and validation RMSE of trials of other studies on the same data and all
            training windows.

    The attainable error comes from trials that learned from the same number of windows.
    """
    complete = [
        (record, record.result)
        for record in records
        if record.state is State.COMPLETE and record.result is not None
    ]
    errors: dict[int | None, list[tuple[float, float]]] = {None: list(others)}
    for record, result in complete:
        errors.setdefault(_train_weeks(record), []).append(
            (result.train["rmse"], result.held_out["rmse"])
        )
    floor = [baseline.validation["rmse"] for baseline in baselines.values()]
    return {
        record.number: measure_fit(
            result.train["rmse"],
            result.held_out["rmse"],
            attainable(errors[_train_weeks(record)], floor),
            result.epochs,
            result.best_epoch,
        )
        for record, result in complete
    }


def _train_weeks(record: TrialRecord) -> int | None:
    """Weeks of training windows, or None for all: fewer weeks are easier to overfit."""
    return None if record.framing is None else record.framing.train_weeks


def fit_metrics(fit: Fit) -> dict[str, float]:
    """The finite metrics of a fit by their MLflow names."""
    metrics = {
        "fit_gap": fit.gap,
        "fit_excess": fit.excess,
        "epochs_after_best": float(fit.epochs_after_best),
    }
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def trials_table(summary: StudySummary, facts: StudyFacts) -> str:
    """Return all attempts as CSV: identity, parameters, metrics."""
    rows: list[dict[str, object]] = []
    found = fits(summary.records, facts.baselines)
    for record in summary.records:
        row: dict[str, object] = {
            "trial": record.number,
            "state": str(record.state),
            "design": record.design,
            "attempt": record.attempt,
            "seed": record.seed,
        }
        row |= record.flat
        if record.result is not None:
            row |= final_metrics(record, facts)
        if record.number in found:
            row |= {"regime": str(found[record.number].regime), **fit_metrics(found[record.number])}
        if record.failure is not None:
            row["failure"] = f"{record.failure.cause}: {record.failure.message}"
        rows.append(row)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def result_json(summary: StudySummary, facts: StudyFacts, ending: str) -> dict[str, object]:
    """Return the end of a run as plain values, for a program."""
    best = summary.best
    return {
        "study": facts.name,
        "tuner": facts.contract.get("tuner", OPTUNA),
        "trials": {"finished": summary.finished, "total": facts.total},
        "ending": ending,
        "best": None
        if best is None or best.parameters is None
        else {
            "trial": best.number,
            "parameters": dict(best.parameters),  # whole, where a dump leaves defaults out
            "metrics": final_metrics(best, facts),
        },
        "scores": scoreboard(summary, facts),
        "payoff": facts.payoff,
        "unit": facts.unit,
        "overhead_fraction": summary.overhead_fraction,
    }

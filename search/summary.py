"""What a person reads of a study: names, metrics, the description page, the end of a run."""

import csv
import io
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.metrics import skill
from models.regime import (
    OVERFIT_GAP,
    UNDERFIT_EXCESS,
    Fit,
    Regime,
    attainable,
    measure_fit,
)
from search.records import Baseline, Cause, State, StudyFacts, TrialRecord, best_of

REFERENCE = "same_hour_last_week"


@dataclass(frozen=True)
class StudySummary:
    """A study at one moment.

    Attributes:
        records: all attempts. finished: trials that have ended, each counted once.
        importances: of the parameters, by name; empty while not computable.
        overhead_fraction: share of the workers' wall time not spent in training, else None.
    """

    records: tuple[TrialRecord, ...]
    finished: int
    importances: dict[str, float] = field(default_factory=dict)
    overhead_fraction: float | None = None

    @property
    def best(self) -> TrialRecord | None:
        """The completed attempt with the lowest objective, or None."""
        return best_of(self.records)

    def count(self, state: State) -> int:
        """Attempts in `state`."""
        return sum(record.state is state for record in self.records)


def trial_name(record: TrialRecord) -> str:
    """What a trial attempt is called wherever a person reads it."""
    design = f" {record.design}" if record.design else ""
    attempt = f" attempt {record.attempt}" if record.attempt > 1 else ""
    return f"trial {record.number}{design}{attempt}"


def final_metrics(record: TrialRecord, facts: StudyFacts) -> dict[str, float]:
    """Return the metrics of a result by their MLflow names; the finite ones only."""
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
    metrics |= {f"val_{name}": value for name, value in result.validation.items()}
    if REFERENCE in facts.baselines:
        reference = facts.baselines[REFERENCE].validation["rmse"]
        metrics["val_skill"] = skill(result.validation["rmse"], reference)
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def scoreboard(summary: StudySummary, facts: StudyFacts) -> list[dict[str, object]]:
    """Rank the best trial, the fixed designs and the baselines on the validation windows.

    Returns:
        Rows, best first, of `name`, `kind` ("best", "design" or "baseline"), `best_val_mse`
        (scaled), `rmse`, `mae`, `peak_bias` (data's unit), `mase` and `skill`, those that are
        defined. A design that was trained with several seeds stands there with the means over
        them, with `seeds` and `rmse_sd`, the standard deviation (n - 1) of its RMSE.
    """
    rows: list[dict[str, object]] = []
    best = summary.best
    if best is not None and best.result is not None:
        name, result = f"best: {trial_name(best)}", best.result
        rows.append(_row(name, "best", result.objective, result.validation, facts))
    seeds: dict[str, list[TrialRecord]] = {}
    for record in summary.records:
        if record.design and record.state is State.COMPLETE:
            seeds.setdefault(record.design, []).append(record)
    rows += [
        _design_row(design, records, facts)
        for design, records in seeds.items()
        if records != [best]  # it has its row
    ]
    for name, baseline in facts.baselines.items():
        rows.append(_row(name, "baseline", baseline.objective, baseline.validation, facts))
    return sorted(rows, key=lambda row: (row["best_val_mse"], row["kind"] != "best"))


def _design_row(design: str, records: list[TrialRecord], facts: StudyFacts) -> dict[str, object]:
    results = [record.result for record in records if record.result is not None]
    metrics = {
        name: statistics.fmean(result.validation[name] for result in results)
        for name in results[0].validation
    }
    objective = statistics.fmean(result.objective for result in results)
    if len(results) == 1:
        name = f"{design} (trial {records[0].number})"
        return _row(name, "design", objective, metrics, facts)
    spread = statistics.stdev(result.validation["rmse"] for result in results)
    name = f"{design} ({len(results)} seeds, sd {amount(spread)})"
    row = _row(name, "design", objective, metrics, facts)
    return row | {"seeds": len(results), "rmse_sd": spread}


def _row(
    name: str, kind: str, objective: float, metrics: dict[str, float], facts: StudyFacts
) -> dict[str, object]:
    row: dict[str, object] = {"name": name, "kind": kind, "best_val_mse": objective}
    shown = ("rmse", "mae", "peak_bias", "mase")
    scores: dict[str, float] = {k: metrics[k] for k in shown if k in metrics}
    if REFERENCE in facts.baselines:
        scores["skill"] = skill(metrics["rmse"], facts.baselines[REFERENCE].validation["rmse"])
    # One that is not defined on these data is NaN, which JSON does not have.
    return row | {k: value for k, value in scores.items() if math.isfinite(value)}


def score_lines(summary: StudySummary, facts: StudyFacts) -> list[str]:
    """Return the scoreboard as a table of text, header first."""
    unit = facts.unit
    lines = [
        f"{'on the validation windows':<34}{'RMSE ' + unit:>10}{'MAE ' + unit:>10}"
        f"{'peak bias':>11}{'MASE':>7}{'skill':>8}"
    ]
    for row in scoreboard(summary, facts):
        cells = [
            _amount_cell(row.get("rmse")).rjust(10),
            _amount_cell(row.get("mae")).rjust(10),
            _amount_cell(row.get("peak_bias"), "+").rjust(11),
            _cell(row.get("mase"), "7.3f"),
            _cell(row.get("skill"), "+8.1%"),
        ]
        lines.append(f"{str(row['name'])[:33]:<34}" + "".join(cells))
    return lines


def amount(value: float, sign: str = "") -> str:
    """Write a number in the data's unit: one decimal, below 10 three significant digits.

    A household in kW and a state in MW both keep their differences. `sign` "+" shows a plus.
    """
    return format(value, f"{sign}.1f" if abs(value) >= 10 else f"{sign}.3g")


def _amount_cell(value: object, sign: str = "") -> str:
    return amount(value, sign) if isinstance(value, float) and math.isfinite(value) else "-"


def _cell(value: object, form: str) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return format(value, form)
    width = "".join(c for c in form.split(".")[0] if c.isdigit())
    return "-".rjust(int(width))


def verdict(summary: StudySummary, facts: StudyFacts) -> str:
    """Say in one sentence whether the best trial beats the baselines, and by how much."""
    best = summary.best
    if best is None or best.result is None:
        return "No trial has completed, so there is nothing to compare with the baselines."
    if not facts.baselines:  # a re-test, whose folds have other hours each
        return (
            f"The lowest validation RMSE is {amount(best.result.validation['rmse'])} {facts.unit}."
        )
    name, strongest = min(facts.baselines.items(), key=lambda item: item[1].objective)
    ours, theirs = best.result.validation["rmse"], strongest.validation["rmse"]
    change = skill(ours, theirs)
    if not math.isfinite(change):  # on data that repeat exactly
        return (
            f"The strongest baseline, {name}, makes no error on the validation windows: a network "
            "is not needed for these data."
        )
    relation = "beats" if change > 0 else "does not beat"
    margin = f"{abs(change):.1%} {'lower' if change > 0 else 'higher'}"
    return (
        f"The best trial {relation} the strongest baseline, {name}: RMSE {amount(ours)} against "
        f"{amount(theirs)} {facts.unit} ({margin}) on the validation windows. The search chose it "
        "there, so expect somewhat more on new data."
    )


def fits(
    records: Iterable[TrialRecord],
    baselines: Mapping[str, Baseline],
    others: Iterable[float] = (),
) -> dict[int, Fit]:
    """The fit of every completed trial by its number.

    Args:
        records: attempts of one study.
        baselines: on its validation windows.
        others: train RMSE of trials of other studies on the same data.
    """
    complete = {
        record.number: record.result
        for record in records
        if record.state is State.COMPLETE and record.result is not None
    }
    if not complete:
        return {}
    best = attainable(
        [*(result.train["rmse"] for result in complete.values()), *others],
        [baseline.validation["rmse"] for baseline in baselines.values()],
    )
    return {
        number: measure_fit(
            result.train["rmse"],
            result.validation["rmse"],
            best,
            result.epochs,
            result.best_epoch,
        )
        for number, result in complete.items()
    }


def fit_metrics(fit: Fit) -> dict[str, float]:
    """The metrics of a fit by their MLflow names; the finite ones only."""
    metrics = {
        "fit_gap": fit.gap,
        "fit_excess": fit.excess,
        "epochs_after_best": float(fit.epochs_after_best),
    }
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def trade_off(summary: StudySummary, facts: StudyFacts) -> str:
    """Say how the best trial and the others stand between underfitting and overfitting."""
    best, found = summary.best, fits(summary.records, facts.baselines)
    if best is None or best.result is None:
        return "No trade-off to report yet."
    train, validation = best.result.train["rmse"], best.result.validation["rmse"]
    fit = found[best.number]
    labels = [one.regime for one in found.values()]
    numbers = ", ".join(f"{labels.count(regime)} {regime}" for regime in Regime)
    return (
        f"Trade-off: the best trial's fit is {fit.regime}: RMSE {amount(train)} {facts.unit} on "
        f"the training windows and {amount(validation)} {facts.unit} on the validation windows, "
        f"both in inference mode (ratio {fit.gap:.2f}; overfit from {OVERFIT_GAP:g}), the former "
        f"{fit.excess:.2f} times what is attainable (underfit from {UNDERFIT_EXCESS:g}). "
        f"Completed trials: {numbers}."
    )


def parameter_text(record: TrialRecord) -> str:
    """Return an attempt's parameters on one line."""
    parameters = record.parameters
    if parameters is None:
        return "parameters unknown"
    return (
        f"units {'/'.join(map(str, parameters.units))}, "
        f"dropout {'/'.join(f'{rate:.3g}' for rate in parameters.dropout)}, "
        f"L2 {parameters.l2:.3g}, learning rate {parameters.learning_rate:.3g}, "
        f"batch {parameters.batch_size}, patience {parameters.patience}"
    )


def counts(summary: StudySummary) -> str:
    """Return how many attempts ended how, on one line."""
    pieces = [
        f"{summary.count(state)} {state}"
        for state in (State.COMPLETE, State.PRUNED, State.FAILED, State.INTERRUPTED)
        if summary.count(state)
    ]
    return ", ".join(pieces) or "none"


def end_lines(summary: StudySummary, facts: StudyFacts, ui: str, promote: str) -> list[str]:
    """Return what a run prints at its end.

    Args:
        summary: of the study.
        facts: of the study.
        ui: the command that shows it in a browser.
        promote: the command that promotes its best trial.
    """
    asked = max(facts.total, summary.finished)  # fewer may be asked for than are done
    lines = [f"Study {facts.name}: {summary.finished} of {asked} trials ({counts(summary)})"]
    best = summary.best
    if best is not None:
        lines += ["", f"Best: {trial_name(best)}: {parameter_text(best)}"]
    lines += ["", *score_lines(summary, facts), "", verdict(summary, facts)]
    lines.append(trade_off(summary, facts))
    failed = [r for r in summary.records if r.state is State.FAILED and r.failure is not None]
    for cause in sorted({r.failure.cause for r in failed if r.failure}):
        numbers = [str(r.number) for r in failed if r.failure and r.failure.cause is Cause(cause)]
        lines.append(f"Failed, {cause}: trials {', '.join(numbers)}")
    return [*lines, "", f"Look:    {ui}", f"Promote: {promote}"]


def description(summary: StudySummary, facts: StudyFacts) -> str:
    """Return the study's page in the MLflow UI, as Markdown."""
    best = summary.best
    lines = []
    if best is not None:
        lines += [f"**Best: {trial_name(best)}.** {parameter_text(best)}.", ""]
    lines += [
        verdict(summary, facts),
        "",
        trade_off(summary, facts),
        "",
        f"{summary.finished} of {max(facts.total, summary.finished)} trials ({counts(summary)}), "
        f"study seed "
        f"{facts.seed}. {facts.summary}",
    ]
    unit = facts.unit
    lines += [
        "",
        f"| on the validation windows | RMSE {unit} | MAE {unit} | peak bias {unit} | skill |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in scoreboard(summary, facts):
        lines.append(
            f"| {row['name']} | {_amount_cell(row.get('rmse'))} | {_amount_cell(row.get('mae'))} "
            f"| {_amount_cell(row.get('peak_bias'), '+')} | {_cell(row.get('skill'), '+1.1%')} |"
        )
    lines += [
        "",
        "Skill is 1 - RMSE / RMSE of the same hour last week. Negative peak bias: the hours above "
        "the 90th percentile are predicted too low. " + _openings(facts.openings),
        "",
        f"Promote: `python -m search.promote --study {facts.name}`",
    ]
    return "\n".join(lines)


def _openings(count: int) -> str:
    if count == 0:
        return "The test period has not been opened."
    times = "once" if count == 1 else f"{count} times"
    return f"The test period has been opened {times}, by promotion."


def trial_description(record: TrialRecord, facts: StudyFacts) -> str:
    """Return a trial's line in the MLflow UI: its parameters and what came of them."""
    text = f"{parameter_text(record)}. "
    if record.failure is not None:
        return text + f"No result: {record.failure.cause}: {record.failure.message}"
    if record.result is None:
        return text
    result = record.result
    if result.repeat_of is not None:
        text += (
            f"The point of trial {result.repeat_of}, so not trained again; that trial's result: "
        )
    return text + (
        f"RMSE {amount(result.validation['rmse'])} {facts.unit} on the validation windows, "
        f"{amount(result.train['rmse'])} on the training windows; best epoch {result.best_epoch} "
        f"of {result.epochs}, stopped by {result.stopped_by}."
    )


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
        "trials": {"finished": summary.finished, "total": facts.total},
        "ending": ending,
        "best": None
        if best is None or best.parameters is None
        else {
            "trial": best.number,
            "parameters": best.parameters.model_dump(mode="json"),
            "metrics": final_metrics(best, facts),
        },
        "scores": scoreboard(summary, facts),
        "unit": facts.unit,
        "overhead_fraction": summary.overhead_fraction,
    }

"""A study in sentences: scores, verdict, trade-off, counts, the end of a run."""

import math

from models.metrics import IN_TABLES, SKILL, skill
from models.regime import OVERFIT_GAP, UNDERFIT_EXCESS, Regime
from search.common.records import Cause, State, StudyFacts, TrialRecord
from search.results.baselines import strongest
from search.results.payoff import Payoff, sentence
from search.results.score_cells import cell, head, width
from search.results.summary import StudySummary, amount, fits, scoreboard, trial_name


def score_lines(summary: StudySummary, facts: StudyFacts) -> list[str]:
    """Return the scoreboard as lines of a text table, header first."""
    columns = [(metric, width(metric, facts.unit)) for metric in (*IN_TABLES, SKILL)]
    lines = [f"{'on the validation windows':<34}"]
    for metric, wide in columns:
        title = head(metric, facts.unit)
        lines[0] += (title if len(title) < wide else metric.title).rjust(wide)
    for row in scoreboard(summary, facts):
        cells = [cell(metric, row.get(metric.name)).rjust(wide) for metric, wide in columns]
        lines.append(f"{str(row['name'])[:33]:<34}" + "".join(cells))
    return lines


def verdict(summary: StudySummary, facts: StudyFacts) -> str:
    """Say in one sentence whether the best trial beats the baselines, and by how much."""
    best = summary.best
    if best is None or best.result is None:
        return "No trial has completed, so there is nothing to compare with the baselines."
    if not facts.baselines:  # a re-test: its folds have different hours
        return f"The lowest validation RMSE is {amount(best.result.held_out['rmse'])} {facts.unit}."
    name, floor = strongest(facts.baselines)
    ours, theirs = best.result.held_out["rmse"], floor.validation["rmse"]
    change = skill(ours, theirs)
    if not math.isfinite(change):  # on data that repeat exactly
        return (
            f"The strongest baseline, {name}, makes no error on the validation windows: a network "
            "is not needed for these data."
        )
    relation = "beats" if change > 0 else "does not beat"
    margin = f"{abs(change):.1%} {'lower' if change > 0 else 'higher'}"
    outlook = (
        "The search chose it there, so expect somewhat more on new data."
        if change > 0
        else "So far these data need no network."
    )
    return (
        f"The best trial {relation} the strongest baseline, {name}: RMSE {amount(ours)} against "
        f"{amount(theirs)} {facts.unit} ({margin}) on the validation windows. {outlook}"
    )


def payoff_lines(facts: StudyFacts) -> list[str]:
    """Say in one sentence whether an LSTM pays on the study's data; none if not compared."""
    if facts.payoff is None:
        return []
    return [sentence(Payoff.model_validate(facts.payoff), facts.unit)]


def behind(summary: StudySummary, facts: StudyFacts) -> bool:
    """True if the strongest baseline has a lower validation error than the best trial."""
    best = summary.best
    if best is None or best.result is None or not facts.baselines:
        return False
    return strongest(facts.baselines)[1].objective < best.result.objective


def trade_off(summary: StudySummary, facts: StudyFacts) -> str:
    """Say whether the best trial and the others underfit or overfit."""
    best, found = summary.best, fits(summary.records, facts.baselines)
    if best is None or best.result is None:
        return "No trade-off to report yet."
    train, validation = best.result.train["rmse"], best.result.held_out["rmse"]
    fit = found[best.number]
    labels = [one.regime for one in found.values()]
    numbers = ", ".join(f"{labels.count(regime)} {regime}" for regime in Regime)
    return (
        f"Trade-off: the best trial's fit is {fit.regime}. Its RMSE is {amount(train)} "
        f"{facts.unit} on the training windows and {amount(validation)} {facts.unit} on the "
        f"validation windows, both in inference mode: ratio {fit.gap:.2f} (overfit from "
        f"{OVERFIT_GAP:g}). The training RMSE is {fit.excess:.2f} times the attainable RMSE "
        f"(underfit from {UNDERFIT_EXCESS:g}). "
        f"Completed trials: {numbers}."
    )


def parameter_text(record: TrialRecord) -> str:
    """Return an attempt's parameters on one line."""
    parameters = record.parameters
    if parameters is None:
        return "parameters unknown"
    learned = f"target {parameters.target}, inputs {parameters.inputs}"
    if parameters.lookback is not None:
        learned += f", lookback {parameters.lookback} h"
    if parameters.schedule != "constant":
        learned += f", {parameters.schedule} schedule"
    return (
        f"units {'/'.join(map(str, parameters.units))}, "
        f"dropout {'/'.join(f'{rate:.3g}' for rate in parameters.dropout)}, "
        f"L2 {parameters.l2:.3g}, learning rate {parameters.learning_rate:.3g}, "
        f"batch {parameters.batch_size}, patience {parameters.patience}, {learned}"
    )


def counts(summary: StudySummary) -> str:
    """Return the number of attempts in each state, on one line."""
    pieces = [
        f"{summary.count(state)} {state}"
        for state in (State.COMPLETE, State.PRUNED, State.FAILED, State.INTERRUPTED)
        if summary.count(state)
    ]
    return ", ".join(pieces) or "none"


def end_lines(summary: StudySummary, facts: StudyFacts, ui: str, promote: str) -> list[str]:
    """Return what a run prints at its end.

    Args:
        summary: the study's summary.
        facts: the study's facts.
        ui: the command that shows the study in a browser.
        promote: the command that promotes its best trial.
    """
    asked = max(facts.total, summary.finished)  # a person may ask for fewer than are done
    lines = [f"Study {facts.name}: {summary.finished} of {asked} trials ({counts(summary)})"]
    best = summary.best
    if best is not None:
        lines += ["", f"Best: {trial_name(best)}: {parameter_text(best)}"]
    lines += ["", *score_lines(summary, facts), "", verdict(summary, facts)]
    lines += [*payoff_lines(facts), trade_off(summary, facts)]
    failed = [r for r in summary.records if r.state is State.FAILED and r.failure is not None]
    for cause in sorted({r.failure.cause for r in failed if r.failure}):
        numbers = [str(r.number) for r in failed if r.failure and r.failure.cause is Cause(cause)]
        lines.append(f"Failed, {cause}: trials {', '.join(numbers)}")
    lines += ["", f"Look:    {ui}"]
    lines += [f"Promote: {promote}"] if best is not None else []
    if behind(summary, facts):
        lines.append(f"Or put the best baseline into service: {promote} --serve-best")
    return lines

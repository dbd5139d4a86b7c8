"""The pages of a study and of a trial in the MLflow UI."""

from models.metrics import IN_TABLES, SKILL
from search.common.drawing import drawn_by
from search.common.records import StudyFacts, TrialRecord
from search.results.explanation import Explanation
from search.results.headline import SUBJECT, headline
from search.results.score_cells import cell, head
from search.results.sentences import (
    behind,
    counts,
    parameter_text,
    payoff_lines,
    trade_off,
    verdict,
)
from search.results.summary import StudySummary, amount, fits, scoreboard, trial_name


def description(summary: StudySummary, facts: StudyFacts) -> str:
    """Return the study's page in the MLflow UI, as Markdown."""
    best = summary.best
    sampled = any(not record.design for record in summary.records)
    drawn = f" Points drawn by {drawn_by(facts.contract)}." if sampled else ""
    lines = []
    if said := _headline(summary, facts):
        lines += [f"**{said}**", ""]
    if best is not None:
        lines += [f"**Best: {trial_name(best)}.** {parameter_text(best)}.", ""]
    for said in payoff_lines(facts):
        lines += [f"**{said}**", ""]
    lines += [
        verdict(summary, facts),
        "",
        trade_off(summary, facts),
        "",
        f"{summary.finished} of {max(facts.total, summary.finished)} trials ({counts(summary)}), "
        f"study seed "
        f"{facts.seed}.{drawn} {facts.summary}",
    ]
    columns = [*(metric for metric in IN_TABLES if metric.unit == "data"), SKILL]
    heads = [head(metric, facts.unit) for metric in columns]
    lines += [
        "",
        f"| on the validation windows | {' | '.join(heads)} |",
        "|---|" + "---:|" * len(heads),
    ]
    for row in scoreboard(summary, facts):
        cells = [cell(metric, row.get(metric.name)) for metric in columns]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    lines += [
        "",
        "Skill is 1 - RMSE / RMSE of the strongest baseline; below 0 a baseline is better. "
        "Negative peak bias: the hours above the 90th percentile are predicted too low. "
        + _openings(facts.openings),
        "",
        f"Promote: `python -m search.promote --study {facts.name}`",
    ]
    if behind(summary, facts):
        lines[-1] += "; with `--serve-best` the best baseline serves if no network passes the gate"
    return "\n".join(lines)


def _headline(summary: StudySummary, facts: StudyFacts) -> str:
    """Whether the teaching notes' network underfits, and the cure; "" if it was not trained."""
    fitted = fits(summary.records, facts.baselines)
    own = [one for one in summary.records if one.design == SUBJECT and one.number in fitted]
    if not own:
        return ""
    biases = [
        one.result.held_out["peak_bias"]
        for one in own
        if one.result is not None and "peak_bias" in one.result.held_out
    ]
    found = facts.explanation
    explanation = None if found is None else Explanation.model_validate(found)
    regimes = [fitted[one.number].regime for one in own]
    return headline(SUBJECT, regimes, biases, facts.unit, explanation)


def _openings(count: int) -> str:
    if count == 0:
        return "The test period has not been opened."
    times = "once" if count == 1 else f"{count} times"
    return f"The test period has been opened {times}, by promotion."


def trial_description(record: TrialRecord, facts: StudyFacts) -> str:
    """Return a trial's line in the MLflow UI: its parameters and its result."""
    text = f"{parameter_text(record)}. "
    if record.failure is not None:
        return text + f"No result: {record.failure.cause}: {record.failure.message}"
    if record.result is None:
        return text
    result = record.result
    if result.repeat_of is not None:
        text += (
            f"Same point as trial {result.repeat_of}, so not trained again; that trial's result: "
        )
    return text + (
        f"RMSE {amount(result.held_out['rmse'])} {facts.unit} on the validation windows, "
        f"{amount(result.train['rmse'])} on the training windows; best epoch {result.best_epoch} "
        f"of {result.epochs}, stopped by {result.stopped_by}."
    )

"""What a promotion says: the ranking, the test hours, the decision, the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.metrics import Scores
from search.promote.gate import Compared
from search.promote.ranking import Ranked, rank_correlation
from search.records import StudyFacts
from search.summary import amount


def ranking_lines(ranked: Sequence[Ranked], unit: str) -> list[str]:
    """The re-test as a table of text, header first, and how lucky the search was."""
    lines = [
        f"{'re-test, validation RMSE ' + unit:<34}{'mean':>9}{'95 % interval':>20}{'seeds':>7}"
        f"{'search':>9}{'luck':>8}"
    ]
    for one in ranked:
        name = one.candidate.name + (" (reference)" if one.candidate.reference else "")
        if one.seeds == 0:
            interval = "last fold alone"
        elif one.low is None or one.high is None:
            interval = "-"
        else:
            interval = f"{amount(one.low)} to {amount(one.high)}"
        searched = "-" if one.candidate.searched is None else amount(one.candidate.searched)
        luck = "-" if one.luck is None else amount(one.luck, "+")
        lines.append(
            f"{name[:33]:<34}{amount(one.mean):>9}{interval:>20}{one.seeds:>7}"
            f"{searched:>9}{luck:>8}"
        )
    return [*lines, luck_line(ranked, unit)]


def luck_line(ranked: Sequence[Ranked], unit: str) -> str:
    """How far the search's scores were luck, in a sentence or two."""
    finalists = [one.luck for one in ranked if one.luck is not None and not one.candidate.reference]
    text = ""
    if finalists:
        mean = sum(finalists) / len(finalists)
        side = "below: the winner's curse" if mean < 0 else "above: no winner's curse to be seen"
        text = (
            "Luck is the search's score minus that of fresh seeds on the same windows; over the "
            f"finalists it is {amount(mean, '+')} {unit}, {side}. "
        )
    correlation = rank_correlation(ranked)
    if correlation is not None:
        text += f"Rank correlation of search and re-test: {correlation:.2f}."
    return text.strip()


def score_table(scores: Mapping[str, Scores], unit: str) -> list[str]:
    """Everybody on the test hours as Markdown, best first."""
    lines = [
        f"| on the test hours | RMSE {unit} | MAE {unit} | peak bias {unit} | MASE |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, one in sorted(scores.items(), key=lambda item: item[1].rmse):
        lines.append(
            f"| {name} | {amount(one.rmse)} | {amount(one.mae)} | {amount(one.peak_bias, '+')} | "
            f"{one.mase:.3f} |"
        )
    return lines


def compared_lines(compared: Sequence[Compared], unit: str) -> list[str]:
    """The differences on the test hours, a line each."""
    return [
        f"against {one.name}: RMSE {amount(one.difference, '+')} {unit} (95 % interval "
        f"{amount(one.low, '+')} to {amount(one.high, '+')}; block bootstrap, p {one.p:.4f})"
        for one in compared
    ]


def card(
    facts: StudyFacts,
    chosen: Ranked,
    scores: Mapping[str, Scores],
    compared: Sequence[Compared],
    about: Mapping[str, Any],
) -> str:
    """The model card, Markdown.

    Args:
        facts: of the study.
        chosen: the winner of the re-test.
        scores: on the test hours, the model's under "this model".
        compared: with the baselines and the champion.
        about: "periods", "opening" (its number), "coverage", "half_width" (of the first step),
            "regime", "objections" (overruled ones), "limits".
    """
    parameters = chosen.candidate.parameters
    unit = facts.unit
    interval = (
        f" (95 % interval over seeds {amount(chosen.low)} to {amount(chosen.high)})"
        if chosen.low is not None and chosen.high is not None
        else ""
    )
    averaged = (
        f" (weights averaged over {parameters.ema_epochs:g})" if parameters.ema_epochs else ""
    )
    lines = [
        f"**Hourly forecasts of {facts.data.get('name')} in {unit}**, by the mean of "
        f"{chosen.seeds} stacked LSTM(s) of units {'/'.join(map(str, parameters.units))}, which "
        "differ by their seeds alone.",
        "",
        f"Data: sha256 {str(facts.contract['data'])[:12]}, {about['periods']}.",
        "",
        f"Parameters: dropout {'/'.join(f'{rate:.3g}' for rate in parameters.dropout)}, L2 "
        f"{parameters.l2:.3g}, learning rate {parameters.learning_rate:.3g}, batch "
        f"{parameters.batch_size}, {chosen.epochs} epochs{averaged}, chosen as "
        f"{chosen.candidate.name} of study {facts.name}.",
        "",
        f"Re-test on rolling origins: RMSE of one network {amount(chosen.mean)} {unit}{interval}, "
        f"{chosen.seeds} seed(s). Fit: {about['regime']}.",
        "",
        *score_table(scores, unit),
        "",
        *(f"- {line}" for line in compared_lines(compared, unit)),
        "",
        f"90 % interval: forecast +- {amount(about['half_width'])} {unit} at the first hour, from "
        f"the re-test's residuals; it covered {about['coverage']:.1%} of the test hours.",
        "",
        f"Opening number {about['opening']} of the test period of these data"
        + (
            "."
            if about["opening"] == 1
            else ": these scores are no longer those of unseen data alone."
        ),
        "",
        *(f"Promoted by force although {line}." for line in about["objections"]),
        about["limits"],
    ]
    return "\n".join(lines)

"""What a promotion says: the ranking, the test hours, the decision, the model card."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.intervals import Covered
from models.metrics import IN_TABLES, Scores
from search.common.records import StudyFacts
from search.promote.ranking import Ranked, rank_correlation
from search.results.bootstrap import Compared
from search.results.score_cells import cell, head
from search.results.summary import amount


def ranking_lines(ranked: Sequence[Ranked], floor: Mapping[str, float], unit: str) -> list[str]:
    """The re-test as a table of text, header first, and how lucky the search was.

    Args:
        ranked: the networks; may be empty.
        floor: mean over the same folds of each baseline's RMSE, the lowest first.
        unit: of the errors.
    """
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
    for name, mean in floor.items():
        shown = f"{name} (baseline)"
        lines.append(f"{shown:<34}{amount(mean):>9}{'-':>20}{'-':>7}{'-':>9}{'-':>8}")
    return [*lines, *([luck_line(ranked, unit)] if ranked else [])]


def luck_line(ranked: Sequence[Ranked], unit: str) -> str:
    """How far the search's scores were luck, in a sentence or two."""
    finalists = [one.luck for one in ranked if one.luck is not None and not one.candidate.reference]
    text = ""
    if finalists:
        mean = sum(finalists) / len(finalists)
        side = (
            "so the search was too optimistic"
            if mean < 0
            else "so the search was not too optimistic"
        )
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
    heads = [head(metric, unit) for metric in IN_TABLES]
    lines = [f"| on the test hours | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for name, one in sorted(scores.items(), key=lambda item: item[1].rmse):
        cells = [cell(metric, getattr(one, metric.name)) for metric in IN_TABLES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def compared_lines(compared: Sequence[Compared], unit: str) -> list[str]:
    """The differences on the test hours, a line each."""
    return [
        f"against {one.name}: RMSE {amount(one.difference, '+')} {unit} (95 % interval "
        f"{amount(one.low, '+')} to {amount(one.high, '+')}; block bootstrap, p {one.p:.4f})"
        for one in compared
    ]


def parts_text(parts: Sequence[Mapping[str, Any]]) -> str:
    """What a forecast is made of, such as "0.5 x trial_3 + 0.5 x ridge_by_hour".

    Args:
        parts: "name" and "weight" of each.
    """
    return " + ".join(f"{part['weight']:g} x {part['name']}" for part in parts)


def part_lines(parts: Sequence[Mapping[str, Any]], unit: str) -> list[str]:
    """What a blend is made of, and what each part alone comes to; nothing for a single part.

    Args:
        parts: "name", "weight" and "rmse", on the test hours, of each.
        unit: of the errors.
    """
    if len(parts) == 1:
        return []
    alone = ", ".join(f"{part['name']} {amount(part['rmse'])}" for part in parts)
    return [
        f"This model is a blend: {parts_text(parts)}. On the test hours each part alone has an "
        f"RMSE of: {alone} {unit}."
    ]


def coverage_lines(covered: Covered, half: npt.NDArray[np.float64], unit: str) -> list[str]:
    """What the 90 % intervals covered, over the whole test period and its last quarter.

    Args:
        covered: the shares.
        half: float64 (n, horizon), half the widths, in the unit.
        unit: of the target.
    """
    lines = [
        f"90 % interval: forecast +- {amount(float(half[:, 0].mean()))} {unit} at the first hour, "
        f"in the mean; it covered {covered.share:.1%} of the test hours, "
        f"{covered.last_quarter:.1%} of their last quarter."
    ]
    if len(covered.steps) > 1:
        shown = ", ".join(f"{share:.1%}" for share in covered.steps)
        last = ", ".join(f"{share:.1%}" for share in covered.last_quarter_steps)
        lines.append(f"Covered by step: {shown}; in the last quarter: {last}.")
    return lines


def card(
    facts: StudyFacts,
    who: Ranked | str,
    scores: Mapping[str, Scores],
    compared: Sequence[Compared],
    about: Mapping[str, Any],
) -> str:
    """The model card, Markdown.

    Args:
        facts: of the study.
        who: the winner of the re-test, or the name of a baseline.
        scores: on the test hours, the model's under "this model".
        compared: with the baselines and the champion.
        about: "periods", "opening" (its number), "coverage" (lines), "regime", "floor" (the
            baselines' mean RMSE in the re-test), "objections" (overruled ones), "limits",
            "parts" (what it is made of, see `part_lines`), "blended" (what the re-test says of
            the blend, lines).
    """
    unit = facts.unit
    lines = [
        f"**Hourly forecasts of {facts.data.get('name')} in {unit}**, by "
        f"{_maker(who, about['parts'])}.",
        "",
        f"Data: sha256 {str(facts.contract['data'])[:12]}, {about['periods']}.",
        *_ahead_lines(facts),
        "",
        *_made(facts, who, about),
        "",
        *score_table(scores, unit),
        "",
        *part_lines(about["parts"], unit),
        "",
        *(f"- {line}" for line in compared_lines(compared, unit)),
        "",
        *about["coverage"],
        "The interval follows how well it did in the last days; in service it goes on from there.",
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


def _ahead_lines(facts: StudyFacts) -> list[str]:
    """What must be known of the hours that are forecast, and what the scores take it for."""
    country, names = facts.contract.get("holidays"), facts.contract.get("known_ahead")
    lines = [f"It reads the public holidays of {country}."] if country else []
    if isinstance(names, list):
        lines.append(
            f"It needs {', '.join(names)} of the hours that it forecasts. The scores below take "
            "the file's values as known; if these were measured later, it errs more in service."
        )
    return lines


def _maker(who: Ranked | str, parts: Sequence[Mapping[str, Any]]) -> str:
    if isinstance(who, str):
        return f"{who}, a baseline: it has no network"
    units = "/".join(map(str, who.candidate.parameters.units))
    network = (
        f"the mean of {who.seeds} stacked LSTM(s) of units {units}, which differ by their seeds "
        "alone"
    )
    if len(parts) == 1:
        return network
    own, other = parts
    return (
        f"{own['weight']:g} times {network}, plus {other['weight']:g} times {other['name']}, a "
        "baseline"
    )


def _made(facts: StudyFacts, who: Ranked | str, about: Mapping[str, Any]) -> list[str]:
    unit = facts.unit
    name, floor = next(iter(about["floor"].items()))
    strongest = f"the strongest baseline there, {name}, {amount(floor)} {unit}"
    if isinstance(who, str):
        return [
            f"Chosen on rolling origins before the test period: RMSE {amount(about['floor'][who])} "
            f"{unit}, the lowest of all baselines; no network of study {facts.name} was let "
            "through. What it sees: docs/metrics.md."
        ]
    parameters = who.candidate.parameters
    interval = (
        f" (95 % interval over seeds {amount(who.low)} to {amount(who.high)})"
        if who.low is not None and who.high is not None
        else ""
    )
    hours = parameters.lookback
    read = "the whole window" if hours is None else f"the last {hours} hours"
    averaged = (
        f" (weights averaged over {parameters.ema_epochs:g})" if parameters.ema_epochs else ""
    )
    return [
        f"Parameters: dropout {'/'.join(f'{rate:.3g}' for rate in parameters.dropout)}, L2 "
        f"{parameters.l2:.3g}, learning rate {parameters.learning_rate:.3g} "
        f"({parameters.schedule}), batch {parameters.batch_size}, {who.epochs} epochs{averaged}; "
        f"learns the {parameters.target} from {read}, "
        f"inputs {parameters.inputs}; chosen as "
        f"{who.candidate.name} of study {facts.name}.",
        "",
        f"Re-test on rolling origins: RMSE of one network {amount(who.mean)} {unit}{interval}, "
        f"{who.seeds} seed(s); {strongest}. Fit: {about['regime']}.",
        *about["blended"],
    ]

"""The first screen: a headline, three networks over one week, and the way to the best."""

import statistics
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from models.regime import Regime
from search.report.translations import WORDS, Language, in_language
from search.report.values import DesignRow, Facts, TrialRow
from search.results.explanation import step_name, worth_text
from search.results.headline import SUBJECT, headline
from search.results.summary import amount

EXPLAIN_COMMAND = "python -m search.explain --study {study}"


@dataclass(frozen=True)
class Wall:
    """The text of the first screen.

    Attributes:
        headline: the main result.
        notes: short lines below the pictures.
        weeks, way: descriptions of the two pictures, for readers who cannot see them.
    """

    headline: str
    notes: tuple[str, ...]
    weeks: str
    way: str


def subject_of(facts: Facts) -> DesignRow | None:
    """The network that the page is about, with its means over seeds."""
    return next((row for row in facts.designs if row.name == SUBJECT), None)


def three(facts: Facts, kept: Container[tuple[str, int]] = ()) -> list[TrialRow]:
    """One network per existing regime: underfit, balanced, overfit.

    The underfit network is `main2` if it underfits. The balanced network has the lowest validation
    error. The overfit network proves an arm of a curve, if there is one. Where its forecasts are
    not among those `kept`, by study and trial, one like it of another study takes its place.
    """
    return [
        next((row for row in rows if (row.study, row.trial) in kept), rows[0])
        for rows in candidates(facts)
    ]


def candidates(facts: Facts) -> list[list[TrialRow]]:
    """Of each existing regime the network to show, and behind it one like it of each study."""
    found = []
    for regime in Regime:
        rows = [row for row in facts.trials if row.regime is regime]
        each = [[row for row in rows if row.study == study.name] for study in facts.studies]
        if rows:
            found.append([_typical(facts, regime, some) for some in (rows, *each) if some])
    return found


def _typical(facts: Facts, regime: Regime, rows: Sequence[TrialRow]) -> TrialRow:
    if regime is Regime.BALANCED:
        return min(rows, key=lambda row: (row.val["rmse"], row.study, row.trial))
    if regime is Regime.OVERFIT:
        proven = {
            (curve.levels[curve.overfit].study, curve.levels[curve.overfit].trial)
            for curve in facts.tradeoff
            if curve.overfit is not None
        }
        rows = [row for row in rows if (row.study, row.trial) in proven] or rows
        return max(rows, key=lambda row: (row.gap, row.study, row.trial))
    subject = subject_of(facts)
    own = [row for row in rows if row.design == SUBJECT]
    own = [row for row in own if subject and row.study == subject.study] or own
    own.sort(key=lambda row: (row.val["rmse"], row.study, row.trial))
    if own:
        return own[len(own) // 2]
    return max(rows, key=lambda row: (row.excess, row.study, row.trial))


def wall(facts: Facts, language: Language, kept: Container[tuple[str, int]] = ()) -> Wall:
    """Make the text of the first screen, with about sixty words at most."""
    words = WORDS[language]
    shown = three(facts, kept)
    notes = []
    missing = [words[regime] for regime in Regime if regime not in {row.regime for row in shown}]
    if missing:
        notes.append(words["wall_missing"].format(regimes=", ".join(missing)))
    if facts.explanation is None:
        command = EXPLAIN_COMMAND.format(study=_explainable(facts))
        notes.append(words["wall_no_way"].format(command=command))
    said = Wall(
        headline=" ".join(filter(None, (_headline(facts, words), _overfit(shown, facts, words)))),
        notes=tuple(notes),
        weeks=words["wall_alt"].format(
            list="; ".join(_caption(row, facts, words) for row in shown)
        ),
        way=_way(facts, words),
    )
    return Wall(
        headline=in_language(said.headline, language),
        notes=tuple(in_language(note, language) for note in said.notes),
        weeks=in_language(said.weeks, language),
        way=in_language(said.way, language),
    )


def network(row: TrialRow, facts: Facts, words: Mapping[str, str]) -> str:
    """Regime and name of a network, of which this is one training."""
    return words["wall_network"].format(regime=words[row.regime], name=_name(row, facts, words))


def _caption(row: TrialRow, facts: Facts, words: Mapping[str, str]) -> str:
    """The same with both errors."""
    return f"{network(row, facts, words)}: {', '.join(both_errors(row, facts.unit, words))}"


def both_errors(row: TrialRow, unit: str, words: Mapping[str, str]) -> tuple[str, str]:
    """The errors on the training and on the validation windows, in words."""
    return (
        f"{words['wall_train']} {amount(row.train['rmse'])} {unit}",
        f"{words['wall_validation']} {amount(row.val['rmse'])} {unit}",
    )


def _name(row: TrialRow, facts: Facts, words: Mapping[str, str]) -> str:
    """The network's name; one that proves an arm is called by its setting, as "4 weeks"."""
    for curve in facts.tradeoff:
        for at in (curve.overfit, curve.underfit):
            if at is None:
                continue
            level = curve.levels[at]
            if (level.study, level.trial) == (row.study, row.trial):
                return words[f"level_{curve.axis}"].format(value=f"{level.value:.3g}")
    return row.design or words["trial"].format(number=row.trial)


def _headline(facts: Facts, words: Mapping[str, str]) -> str:
    subject = subject_of(facts)
    if subject is None:
        if facts.best is None:
            return words["title"]
        name = _name(facts.best, facts, words)
        rows: Sequence[TrialRow] = [facts.best]
    else:
        name = SUBJECT
        rows = [row for row in facts.trials if (row.design, row.study) == (SUBJECT, subject.study)]
    biases = [row.val["peak_bias"] for row in rows if "peak_bias" in row.val]
    regimes = [row.regime for row in rows]
    return headline(name, regimes, biases, facts.unit, facts.explanation, words)


def _overfit(shown: Sequence[TrialRow], facts: Facts, words: Mapping[str, str]) -> str:
    """What overfitting looks like, where the headline is about another network."""
    over = next((row for row in shown if row.regime is Regime.OVERFIT), None)
    if over is None or over.design == SUBJECT:
        return ""
    name = _name(over, facts, words)
    return words["wall_overfit"].format(
        name=name if name == over.design else name[:1].upper() + name[1:],
        train=amount(over.train["rmse"]),
        validation=amount(over.val["rmse"]),
        unit=facts.unit,
    )


def _explainable(facts: Facts) -> str:
    """The name of the study with the best network of all."""
    return facts.studies[0].name if facts.best is None else facts.best.study


def _way(facts: Facts, words: Mapping[str, str]) -> str:
    if facts.explanation is None:
        return ""
    steps = [
        f"{step_name(one, words)} {worth_text(one.worth, facts.explanation, words)}"
        for one in facts.explanation.changes
    ]
    return words["way_alt"].format(list="; ".join(steps))


def way_notes(facts: Facts, language: Language) -> list[str]:
    """How the way was measured, and the effect of each change at the goal."""
    found, words = facts.explanation, WORDS[language]
    if found is None:
        return []
    back = [
        f"{step_name(one, words)} {worth_text(one.taken_back, found, words)}"
        for one in sorted(
            (one for one in found.changes if one.taken_back is not None),
            key=lambda one: -(one.taken_back.mean if one.taken_back else 0.0),
        )
        if one.taken_back is not None
    ]
    seeds = statistics.mode(one.worth.seeds for one in found.changes)
    lines = [words["way_note"].format(seeds=seeds)]
    if back:
        lines.append(words["way_back"].format(list="; ".join(back)))
    return [in_language(line, language) for line in lines]

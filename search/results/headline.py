"""One sentence on a study: does a network underfit, by how much at the peaks, and what cures it."""

from collections.abc import Mapping, Sequence

from models.regime import Regime
from search.results.explanation import WORDS as EXPLANATION_WORDS
from search.results.explanation import Explanation, step_name
from search.results.summary import amount

# The teaching notes say that this network underfits.
SUBJECT = "main2"
WORDS = EXPLANATION_WORDS | {
    "headline_underfit": "{name} underfits: at the peaks it forecasts {bias} {unit} too {side}.",
    "headline_balanced": "{name} neither underfits nor overfits; at the peaks it forecasts {bias} "
    "{unit} too {side}.",
    "headline_overfit": "{name} overfits: at the peaks it forecasts {bias} {unit} too {side}.",
    "headline_no_peaks_underfit": "{name} underfits.",
    "headline_no_peaks_balanced": "{name} neither underfits nor overfits.",
    "headline_no_peaks_overfit": "{name} overfits.",
    "side_low": "low",
    "side_high": "high",
    "headline_cure": "From {start} to {goal} the validation RMSE falls from {before} to {after} "
    "{unit}; the largest step ({step}) lowers it by {gain} {unit}.",
    "headline_unproven": "From {start} to {goal} the validation RMSE falls from {before} to "
    "{after} {unit}; no single step is significant with {seeds} seeds.",
    "headline_no_cure": "From {start} to {goal} the validation RMSE does not fall.",
}


def headline(
    name: str,
    regimes: Sequence[Regime],
    biases: Sequence[float],
    unit: str,
    explanation: Explanation | None = None,
    words: Mapping[str, str] = WORDS,
) -> str:
    """Say whether a network underfits or overfits, and what the way to a better one gains.

    Args:
        name: the network's name.
        regimes: regimes of its trainings, one or more; the most frequent one is named.
        biases: peak bias of each on the validation windows, in the data's unit; may be empty.
        unit: the data's unit.
        explanation: the way from it to another network, or None.
        words: the words of a language, see `WORDS`.
    """
    regime = max(Regime, key=lambda one: (list(regimes).count(one), one is Regime.UNDERFIT))
    if biases:
        bias = sum(biases) / len(biases)
        side = words["side_low" if bias < 0 else "side_high"]
        said = words[f"headline_{regime}"].format(
            name=name, bias=amount(abs(bias)), unit=unit, side=side
        )
    else:
        said = words[f"headline_no_peaks_{regime}"].format(name=name)
    return said if explanation is None else f"{said} {cure(explanation, words)}"


def cure(found: Explanation, words: Mapping[str, str] = WORDS) -> str:
    """Say how much a way lowers the error, and which step is the largest."""
    if found.last.validation >= found.first.validation:
        return words["headline_no_cure"].format(start=found.start, goal=found.goal)
    strongest = found.strongest
    common = {
        "start": found.start,
        "goal": found.goal,
        "before": amount(found.first.validation),
        "after": amount(found.last.validation),
        "unit": found.unit,
    }
    if strongest is None:
        seeds = found.changes[0].worth.seeds
        return words["headline_unproven"].format(seeds=seeds, **common)
    return words["headline_cure"].format(
        **common,
        step=step_name(strongest, words),
        gain=amount(-strongest.worth.mean),
    )

"""The report's figures, drawn from the facts by `search.figures`."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from matplotlib.figure import Figure

from models.regime import Regime
from search.common.spool import Forecasts
from search.figures.regimes import LearningCurve, learning_curves, trials_by_regime
from search.figures.weeks import Errors, Week, side_by_side, weeks
from search.report.facts import in_a_week
from search.report.translations import WORDS, Language
from search.report.values import Facts, TrialRow
from search.report.wall import both_errors, network, three
from search.results.axes_figure import axes_figure
from search.results.explanation_figure import draw as draw_explanation
from search.results.summary import amount

NOTHING: Mapping[tuple[str, int], Forecasts] = MappingProxyType({})


def draw(
    facts: Facts, language: Language, kept: Mapping[tuple[str, int], Forecasts] = NOTHING
) -> dict[str, Figure]:
    """Draw the figures for which there are facts, by name.

    Args:
        facts: the facts of the studies.
        language: language of the figures' words.
        kept: validation forecasts of trials of `facts`, by study and number.
    """
    words = WORDS[language]
    drawn = {}
    if facts.tradeoff:
        drawn["regularisation"] = _axes(facts, words)
    if facts.explanation is not None:
        drawn["waterfall"] = draw_explanation(facts.explanation, words)
    if facts.trials:
        drawn["train_val"] = _train_val(facts, words)
    if facts.typical:
        drawn["typical"] = _typical(facts, words)
    if shown := _with_forecasts(in_a_week(facts), kept):
        drawn["weeks"] = _weeks(shown, facts.unit, words)
    if shown := _with_forecasts(three(facts, kept), kept):
        drawn["wall"] = _wall(shown, facts, words)
    return drawn


def _axes(facts: Facts, words: Mapping[str, str]) -> Figure:
    searched = [row.val["rmse"] for row in facts.trials if not row.design]
    return axes_figure(
        facts.tradeoff,
        facts.unit,
        min(searched, default=None),
        facts.baselines[0].val["rmse"] if facts.baselines else None,
        words,
    )


def _train_val(facts: Facts, words: Mapping[str, str]) -> Figure:
    return trials_by_regime(
        [row.train["rmse"] for row in facts.trials],
        [row.val["rmse"] for row in facts.trials],
        [row.regime for row in facts.trials],
        {
            "title": words["train_val"],
            "x": words["train_axis"].format(unit=facts.unit),
            "y": words["val_axis"].format(unit=facts.unit),
            "equal": words["equal"],
        }
        | {regime: words[regime] for regime in Regime},
    )


def _typical(facts: Facts, words: Mapping[str, str]) -> Figure:
    return learning_curves(
        [
            LearningCurve(
                f"{words[row.regime]}: {row.study}, "
                + (row.design or words["trial"].format(number=row.trial)),
                row.loss,
                row.val_mse,
            )
            for row in facts.typical
        ],
        {
            "title": words["typical"],
            "x": words["epoch"],
            "y": words["loss_axis"],
            "loss": words["loss"],
            "val_mse": words["val_mse"],
            "note": words["loss_note"],
        },
    )


def _with_forecasts(
    rows: Sequence[TrialRow], kept: Mapping[tuple[str, int], Forecasts]
) -> list[tuple[TrialRow, Forecasts]]:
    return [(row, kept[row.study, row.trial]) for row in rows if (row.study, row.trial) in kept]


def _wall(
    kept: Sequence[tuple[TrialRow, Forecasts]], facts: Facts, words: Mapping[str, str]
) -> Figure:
    unit = facts.unit
    return side_by_side(
        [
            Week(
                network(row, facts, words),
                forecasts.times,
                forecasts.actual[:, 0],
                forecasts.forecast[:, 0],
            )
            for row, forecasts in kept
        ],
        [
            Errors(row.train["rmse"], row.val["rmse"], both_errors(row, unit, words))
            for row, _ in kept
        ],
        {
            "y": words["usage_axis"].format(unit=unit),
            "actual": words["actual"],
            "forecast": words["forecast"],
            "peak": words["peak"],
        },
    )


def _weeks(
    kept: Sequence[tuple[TrialRow, Forecasts]], unit: str, words: Mapping[str, str]
) -> Figure:
    return weeks(
        [
            Week(
                f"{row.design or words['search_best']} ({row.study}, "
                f"{words['trial'].format(number=row.trial)}): {words['peak_bias']} "
                f"{amount(row.val.get('peak_bias', math.nan), '+')} {unit}",
                forecasts.times,
                forecasts.actual[:, 0],
                forecasts.forecast[:, 0],
            )
            for row, forecasts in kept
        ],
        {
            "title": words["week"],
            "x": words["hour_axis"],
            "y": words["usage_axis"].format(unit=unit),
            "actual": words["actual"],
            "forecast": words["forecast"],
            "peak": words["peak"],
            "note": words["week_note"],
        },
    )

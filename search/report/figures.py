"""The report's figures: from facts to what `search.figures` draws."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from models.regime import Regime
from search.common.spool import Forecasts
from search.figures.regimes import LearningCurve, learning_curves, trials_by_regime
from search.figures.regularisation import Panel, Words, regularisation
from search.figures.weeks import Week, weeks
from search.report.tradeoff import Band, Curve
from search.report.translations import WORDS, Language
from search.report.values import Facts, TrialRow
from search.results.summary import amount

FloatArray = npt.NDArray[np.float64]


def draw(
    facts: Facts, language: Language, kept: Sequence[tuple[TrialRow, Forecasts]] = ()
) -> dict[str, Figure]:
    """Draw the figures for which there are facts, by name.

    Args:
        facts: of the studies.
        language: of the words in them.
        kept: trials of `facts`, each with its validation forecasts.
    """
    words = WORDS[language]
    drawn = {}
    if facts.tradeoff:
        drawn["regularisation"] = _regularisation(facts, words)
    if facts.trials:
        drawn["train_val"] = _train_val(facts, words)
    if facts.typical:
        drawn["typical"] = _typical(facts, words)
    if kept:
        drawn["weeks"] = _weeks(kept, facts.unit, words)
    return drawn


def network(curve: Curve, words: Mapping[str, str]) -> str:
    """What the network of a curve is called."""
    return words["network"].format(units="/".join(map(str, curve.units)))


def _regularisation(facts: Facts, words: Mapping[str, str]) -> Figure:
    searched = [row.val["rmse"] for row in facts.trials if not row.design]
    return regularisation(
        [_panel(curve, words) for curve in facts.tradeoff],
        min(searched, default=None),
        Words(
            title=words["tradeoff"],
            error=words["rmse_axis"].format(unit=facts.unit),
            train=words["train"],
            validation=words["validation"],
            lowest=words["lowest"],
            best=words["search_best"],
            floor=words["strongest_baseline"],
            note=words["bands"],
        ),
        floor=facts.baselines[0].val["rmse"] if facts.baselines else None,
    )


def _panel(curve: Curve, words: Mapping[str, str]) -> Panel:
    return Panel(
        heading=network(curve, words),
        axis=words[f"axis_{curve.kind}"],
        strengths=[level.strength for level in curve.levels],
        train=_bands([level.train for level in curve.levels]),
        validation=_bands([level.validation for level in curve.levels]),
        lowest=curve.lowest,
    )


def _bands(bands: Sequence[Band]) -> FloatArray:
    return np.array([[one.mean, one.low, one.high] for one in bands])


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

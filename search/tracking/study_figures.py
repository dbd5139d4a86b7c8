"""Chooses the figures of a trial and of a study; `search.figures` draws them."""

import numpy as np
from matplotlib.figure import Figure

from data_pipeline.framing import Framing
from search import figures
from search.common.records import State, StudyFacts, TrialRecord
from search.common.spool import Forecasts
from search.results.axes import Curve, Trial, curves
from search.results.axes_figure import axes_figure
from search.results.explanation import Explanation
from search.results.explanation_figure import draw
from search.results.summary import StudySummary, trial_name


def trial_figures(record: TrialRecord, forecasts: Forecasts | None, unit: str) -> dict[str, Figure]:
    """Draw a finished trial's figures by name; those of forecasts only if there are any."""
    assert record.result is not None
    name = trial_name(record)
    drawn = {
        "loss_curves": figures.loss_curves(
            record.result.history, record.result.best_epoch, f"Loss by epoch, {name}"
        )
    }
    if forecasts is not None:
        drawn["one_week"] = figures.one_week(
            figures.Week(
                f"Actual and forecast, first {min(168, len(forecasts.times))} validation hours, "
                f"{name}",
                forecasts.times,
                forecasts.actual[:, 0],
                forecasts.forecast[:, 0],
            ),
            unit,
        )
        steps = np.arange(forecasts.actual.shape[1])
        hours = (forecasts.times.hour.to_numpy()[:, None] + steps) % 24
        drawn["residuals_by_hour"] = figures.residuals_by_hour(
            hours.ravel(),
            (forecasts.forecast - forecasts.actual).ravel(),
            unit,
            f"Validation residuals by hour, {name}",
        )
    return drawn


def study_figures(summary: StudySummary, facts: StudyFacts) -> dict[str, Figure]:
    """Draw a study's figures by name, if there are trials for them."""
    tried = [r for r in summary.records if r.result is not None]
    complete = [r for r in tried if r.state is State.COMPLETE]
    drawn: dict[str, Figure] = {}
    if tried:
        drawn["history"] = figures.optimization_history(
            [r.number for r in tried],
            [r.result.objective for r in tried if r.result],
            [str(r.state) for r in tried],
            {name: baseline.objective for name, baseline in facts.baselines.items()},
            f"Validation error by trial, study {facts.name}",
        )
        drawn["train_against_validation"] = figures.train_against_validation(
            [r.result.train["rmse"] for r in tried if r.result],
            [r.result.held_out["rmse"] for r in tried if r.result],
            [r.parameters.l2 for r in tried if r.parameters],
            f"Train against validation error, study {facts.name}",
            facts.unit,
        )
    if complete:
        drawn["parallel_coordinates"] = figures.parallel_coordinates(
            [r.flat for r in complete],
            [r.result.objective for r in complete if r.result],
            facts.log_names,
            f"Completed trials, study {facts.name}",
        )
    if found := axes_of(summary, facts):
        floor = min((b.validation["rmse"] for b in facts.baselines.values()), default=None)
        drawn["error_along_settings"] = axes_figure(found, facts.unit, floor=floor)
    if facts.explanation is not None:
        drawn["waterfall"] = draw(Explanation.model_validate(facts.explanation))
    if summary.importances:
        drawn["importance"] = figures.importance(
            [one.name for one in summary.importances],
            [one.mean for one in summary.importances],
            [(one.low, one.high) for one in summary.importances],
            f"Importance for the validation error, study {facts.name}",
        )
    return drawn


def axes_of(summary: StudySummary, facts: StudyFacts) -> list[Curve]:
    """The error along each setting that the study's designs vary."""
    framing, rows = facts.contract.get("framing"), facts.data.get("rows")
    trials = [Trial(facts.name, record) for record in summary.records]
    seen = Framing.model_validate(framing) if framing else Framing()
    return curves(trials, seen, rows if isinstance(rows, int) else None)

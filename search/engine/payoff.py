"""Whether an LSTM pays, as a search can tell at its end: by the windows that chose its best."""

import contextlib
import dataclasses

import numpy as np

from search.common.records import StudyFacts, TrialRecord
from search.common.spool import Forecasts, folder, read_forecasts
from search.engine.opening import Session
from search.engine.plan import Plan
from search.results.baselines import baseline_data, strongest
from search.results.bootstrap import compare
from search.results.combination import combine
from search.results.payoff import Payoff
from search.results.summary import StudySummary, trial_name
from search.tracking.descriptions import description
from search.tracking.existing_runs import KeptRuns, NotThere


def with_payoff(plan: Plan, session: Session, summary: StudySummary) -> StudyFacts:
    """The facts of a study with what its best trial is worth beside the strongest baseline.

    It is kept with the study and put on its page. What a promotion found stays as long as no
    further trial has ended.

    Args:
        plan: of the study.
        session: the open study; its runs are delivered.
        summary: of the study.

    Returns:
        The facts as they were where there is nothing to compare: no completed trial, no baselines,
        or forecasts that nobody kept.
    """
    facts, best = session.facts, summary.best
    known = None if facts.payoff is None else Payoff.model_validate(facts.payoff)
    ended = sum(record.finished for record in summary.records)
    if best is None or not facts.baselines or (known and known.attempts == ended):
        return facts
    kept = _forecasts(session, best)
    if kept is None:
        return facts
    found = _compared(plan, facts, best, kept, ended)
    session.study.remember("payoff", found.model_dump(mode="json"))
    facts = dataclasses.replace(facts, payoff=found.model_dump(mode="json"))
    with contextlib.suppress(NotThere):
        runs = KeptRuns(session.stores.tracking, facts.experiment, facts.identity)
        runs.describe(description(summary, facts))
    return facts


def _forecasts(session: Session, best: TrialRecord) -> Forecasts | None:
    """From the spool, as long as MLflow does not have them, or from MLflow."""
    facts = session.facts
    try:
        kept = read_forecasts(folder(session.spool, best.number))
        if kept is not None:
            return kept
        runs = KeptRuns(session.stores.tracking, facts.experiment, facts.identity)
        return runs.forecasts(best.number)
    except NotThere:
        return None


def _compared(
    plan: Plan, facts: StudyFacts, best: TrialRecord, kept: Forecasts, attempts: int
) -> Payoff:
    from models.baselines import forecast

    name, _ = strongest(facts.baselines)
    data = baseline_data(plan.prepared)
    actual = data.rows.target[data.origins[:, None] + np.arange(data.horizon)]
    own, other = kept.forecast - kept.actual, forecast(name, data) - actual
    network = trial_name(best)
    alone = Payoff(
        where="search",
        folds=1,
        attempts=attempts,
        network=network,
        beside=compare(name, own, other),
    )
    return alone.with_blend(combine((network, name), [own], [other]))

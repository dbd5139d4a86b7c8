"""How much each parameter decides the validation error of a study, with intervals.

The one place that computes importances: the figure in MLflow and the report both show these.
"""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import optuna
from optuna.trial import FrozenTrial, create_trial

from experiments.space import Space
from search.common.records import Importance, State, TrialRecord
from search.tuning.optuna_space import distribution

# Completed trials below which the importance of some ten parameters is noise.
FEWEST_TRIALS = 10
# Of more, so many are drawn: the cost grows with them, and the search waits for it at its end.
MOST_TRIALS = 1000
RESAMPLES = 40
# What is asked: which parameters decide whether a trial is among the best quarter, no fewer than
# five of them. Below five the estimate is unstable (Optuna's documentation of PED-ANOVA); of 60
# trials a planted effect stood out with every seed for the quarter, not so for the tenth.
BEST_SHARE = 0.25
FEWEST_BEST = 5

# A study in memory is made for every resample; Optuna would announce each.
optuna.logging.set_verbosity(optuna.logging.WARNING)


def importances(
    records: Iterable[TrialRecord], space: Space, seed: int = 0, resamples: int = RESAMPLES
) -> list[Importance]:
    """Rank the parameters, most important first; empty below 10 completed trials.

    Optuna's PED-ANOVA (Watanabe et al., 2023, arXiv:2304.10255; for conditional parameters
    arXiv:2601.20800) compares where the best trials lie with where all lie. It is computed on
    bootstrap resamples of the trials, each normalised to a sum of 1. The mean is over the
    resamples, and the interval holds the middle 95 % of them.

    Args:
        records: attempts of one study. The completed ones count, fixed designs included, if their
            point lies in the space; of more than 1,000 a random draw of so many.
        space: of the study; dimensions of a single value are left out.
        seed: of the draws.
        resamples: how many bootstrap resamples.

    Returns:
        One a parameter; none where too few trials have completed or all have the same error.
    """
    trials = [
        _trial(record, record.result.objective, space)
        for record in records
        if record.state is State.COMPLETE
        and record.result is not None
        and not space.problems(record.flat)
    ]
    varied = [one.name for one in space.dimensions if not distribution(one).single()]
    names = [name for name in varied if any(name in trial.params for trial in trials)]
    if len(trials) < FEWEST_TRIALS or len({trial.value for trial in trials}) < 2 or not names:
        return []
    generator = np.random.default_rng(seed)
    count = min(len(trials), MOST_TRIALS)
    pool = [trials[at] for at in generator.permutation(len(trials))[:count]]
    drawn = [
        _shares([pool[at] for at in generator.integers(count, size=count)], names)
        for _ in range(resamples)
    ]
    means = np.mean(drawn, axis=0)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return [
        Importance(names[at], float(means[at]), float(low[at]), float(high[at]))
        for at in np.argsort(-means, kind="stable")
    ]


def _trial(record: TrialRecord, objective: float, space: Space) -> FrozenTrial:
    present = [one for one in space.dimensions if one.name in record.flat]
    return create_trial(
        params={one.name: record.flat[one.name] for one in present},
        distributions={one.name: distribution(one) for one in present},
        value=objective,
    )


def _shares(trials: Sequence[FrozenTrial], names: Sequence[str]) -> list[float]:
    """The importance of each name in one resample, summing to 1; a parameter no trial has: 0."""
    # It brings scikit-learn, which a command that only looks a study up can do without.
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    study = optuna.create_study()
    study.add_trials(trials)
    best = max(BEST_SHARE, FEWEST_BEST / len(trials))
    with warnings.catch_warnings():
        # It warns of conditional parameters that few trials have; the interval shows that.
        warnings.simplefilter("ignore")
        found = get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(target_quantile=best),
            params=[name for name in names if any(name in trial.params for trial in trials)],
        )
    return [found.get(name, 0.0) for name in names]

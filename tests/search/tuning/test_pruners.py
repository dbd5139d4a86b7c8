"""Which trials a pruner stops."""

import optuna
import pytest
from optuna.trial import TrialState

from search.common.drawing import COMPARED_PRUNERS, OPTUNA, PRUNERS
from search.tuning.pruners import make_pruner


@pytest.mark.parametrize("name", (*PRUNERS[OPTUNA], *COMPARED_PRUNERS))
def test_every_pruner_lets_good_trials_finish_and_all_but_none_stop_a_hopeless_one(
    name: str,
) -> None:
    pruner = make_pruner(name, epochs=20, warm_up=4)
    study = optuna.create_study(pruner=pruner, study_name="fixed")

    def last_epoch(level: float) -> int:
        trial = study.ask()
        for epoch in range(1, 21):
            trial.report(level * (1 + 1 / epoch), epoch)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                return epoch
        study.tell(trial, level)
        return 20

    good = [last_epoch(1.0 - 0.01 * number) for number in range(12)]
    hopeless = [last_epoch(100.0 + number) for number in range(6)]
    assert good.count(20) >= 10
    assert min(hopeless) >= 4
    if name in ("none", "patient"):  # a trial that goes on improving is not hopeless to patience
        assert hopeless == [20] * 6
    else:
        assert min(hopeless) < 20

"""What goes with which tuner."""

import pytest

from search.common.drawing import KERAS_TUNER, OPTUNA, PRUNERS, SAMPLERS, Drawing, choose, drawn_by
from search.common.errors import WrongInput


def test_defaults_follow_the_tuner() -> None:
    assert choose(OPTUNA, None, None) == Drawing(OPTUNA, "tpe", "median")
    assert choose(KERAS_TUNER, None, None) == Drawing(KERAS_TUNER, "bayesian", "none")


@pytest.mark.parametrize("tuner", SAMPLERS)
def test_a_tuner_takes_its_own_samplers_and_pruners_and_no_others(tuner: str) -> None:
    for sampler in {name for names in SAMPLERS.values() for name in names}:
        if sampler in SAMPLERS[tuner]:
            assert choose(tuner, sampler, None).sampler == sampler
            continue
        with pytest.raises(WrongInput, match=f"--sampler {sampler}.*expected.*\n.*--tuner"):
            choose(tuner, sampler, None)
    for pruner in PRUNERS[OPTUNA]:
        if pruner in PRUNERS[tuner]:
            assert choose(tuner, None, pruner).pruner == pruner
            continue
        with pytest.raises(WrongInput, match=f"--pruner {pruner}.*expected none"):
            choose(tuner, None, pruner)


def test_only_an_oracles_name_is_part_of_the_contract() -> None:
    assert choose(OPTUNA, "qmc", None).contract == {"tuner": "optuna"}
    contract = choose(KERAS_TUNER, "random", None).contract
    assert contract == {"tuner": "keras-tuner", "sampler": "random"}
    assert drawn_by(contract) == "KerasTuner's random oracle"
    assert drawn_by({}) == drawn_by({"tuner": "optuna"}) == "Optuna"

"""Headlines of planted networks and ways."""

import pytest

from models.regime import Regime
from search.results.explanation import Change, Explanation, State, Worth
from search.results.headline import cure, headline


def _way(mean: float, high: float, after: float) -> Explanation:
    def state(validation: float) -> State:
        return State(train=100, validation=validation, bias=None, regime=Regime.UNDERFIT)

    change = Change(
        setting="dropout_2",
        before=0.2,
        after=0.1,
        worth=Worth(mean=mean, low=mean - 9, high=high, seeds=3),
        taken_back=None,
        state=state(after),
    )
    return Explanation(
        study="s", start="a", goal="b", unit="MW", time="t", first=state(200), changes=(change,)
    )


@pytest.mark.parametrize(
    ("regimes", "said"),
    [
        ([Regime.UNDERFIT] * 2 + [Regime.BALANCED], "net underfits: at the peaks"),
        ([Regime.BALANCED], "net neither underfits nor overfits; at the peaks"),
        ([Regime.OVERFIT] * 2 + [Regime.BALANCED], "net overfits: at the peaks"),
    ],
)
def test_the_regime_of_most_trainings_is_said(regimes: list[Regime], said: str) -> None:
    assert headline("net", regimes, [-10.0, -30.0], "MW").startswith(said)
    assert headline("net", regimes, [-10.0, -30.0], "MW").endswith("forecasts 20.0 MW too low.")
    assert headline("net", regimes, [5.0], "MW").endswith("5 MW too high.")
    assert "peaks" not in headline("net", regimes, [], "MW")


def test_a_step_is_named_only_if_its_interval_excludes_zero() -> None:
    proven = cure(_way(-50.0, -41.0, 150.0))
    assert proven.endswith("the largest step (dropout of layer 2: 0.2 → 0.1) lowers it by 50.0 MW.")
    unproven = cure(_way(-50.0, 3.0, 150.0))
    assert unproven.endswith(
        "falls from 200.0 to 150.0 MW; no single step is significant with 3 seeds."
    )
    assert cure(_way(20.0, 29.0, 220.0)) == "From a to b the validation RMSE does not fall."

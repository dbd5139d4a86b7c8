"""The fit-regime meter on fits whose regime is known, and at its edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.regime import OVERFIT_GAP, UNDERFIT_EXCESS, Fit, Regime, attainable, measure_fit

ERRORS = st.floats(1e-3, 1e3)


def _polynomial_errors(degree: int, seed: int) -> tuple[float, float]:
    """Train and validation RMSE of a polynomial through 60 noisy points of a sine."""
    generator = np.random.default_rng(seed)

    def sample(count: int) -> tuple[np.ndarray, np.ndarray]:
        x = np.sort(generator.uniform(-1, 1, count))
        return x, np.sin(4 * x) + generator.normal(0, 0.2, count)

    (x, y), (x_new, y_new) = sample(60), sample(300)
    inside = (x_new > x.min()) & (x_new < x.max())
    curve = np.polynomial.Polynomial.fit(x, y, degree)
    train = float(np.sqrt(np.mean((curve(x) - y) ** 2)))
    return train, float(np.sqrt(np.mean((curve(x_new[inside]) - y_new[inside]) ** 2)))


@pytest.mark.parametrize(
    ("degree", "expected"), [(1, Regime.UNDERFIT), (5, Regime.BALANCED), (30, Regime.OVERFIT)]
)
def test_polynomials_of_known_regime_are_labelled_rightly(degree: int, expected: Regime) -> None:
    found = []
    for seed in range(40):
        # What is attainable: the noise, as a well-chosen degree shows it.
        best = attainable([_polynomial_errors(5, seed)])
        train, validation = _polynomial_errors(degree, seed)
        found.append(measure_fit(train, validation, best, 50, 50).regime)
    assert found.count(expected) >= 36, found


@pytest.mark.parametrize(
    ("gap", "excess", "expected"),
    [
        (1.0, 1.0, Regime.BALANCED),
        (OVERFIT_GAP - 1e-9, UNDERFIT_EXCESS - 1e-9, Regime.BALANCED),
        (OVERFIT_GAP, 1.0, Regime.OVERFIT),
        (1.0, UNDERFIT_EXCESS, Regime.UNDERFIT),
        (2.0, 3.0, Regime.UNDERFIT),
        (3.0, 2.0, Regime.OVERFIT),
        (0.5, 1.0, Regime.BALANCED),
    ],
)
def test_the_thresholds(gap: float, excess: float, expected: Regime) -> None:
    assert Fit(gap, excess, 0).regime is expected


@given(train=ERRORS, validation=ERRORS, best=ERRORS, factor=st.floats(0.01, 100))
def test_the_unit_does_not_matter(
    train: float, validation: float, best: float, factor: float
) -> None:
    one = measure_fit(train, validation, best, 9, 4)
    other = measure_fit(train * factor, validation * factor, best * factor, 9, 4)
    assert other.gap == pytest.approx(one.gap) and other.excess == pytest.approx(one.excess)
    assert one.excess >= 1.0 and one.epochs_after_best == 5


@given(train=ERRORS, validation=ERRORS, more=st.floats(1.0, 10.0))
def test_more_validation_error_never_turns_overfit_into_anything_else(
    train: float, validation: float, more: float
) -> None:
    before = measure_fit(train, validation, train, 1, 1).regime
    after = measure_fit(train, validation * more, train, 1, 1).regime
    assert after is Regime.OVERFIT or before is not Regime.OVERFIT


def test_errors_of_zero_have_an_answer() -> None:
    assert measure_fit(0.0, 0.0, 0.0, 1, 1) == Fit(1.0, 1.0, 0)
    assert measure_fit(0.0, 1.0, 0.0, 1, 1).regime is Regime.OVERFIT
    assert measure_fit(1.0, 1.0, 0.0, 1, 1).regime is Regime.UNDERFIT


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_impossible_errors_are_refused_by_name(bad: float) -> None:
    with pytest.raises(ValueError, match="validation_rmse"):
        measure_fit(1.0, bad, 1.0, 1, 1)
    with pytest.raises(ValueError, match="train_rmse"):
        attainable([(1.0, 1.0), (bad, 1.0)])


def test_no_trial_and_an_epoch_outside_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        attainable([])
    with pytest.raises(ValueError, match=r"best_epoch must lie in 1\.\.3, found 4"):
        measure_fit(1.0, 1.0, 1.0, 3, 4)


def test_a_better_baseline_shows_what_is_attainable() -> None:
    assert attainable([(200.0, 210.0), (180.0, 200.0)]) == 180.0
    assert attainable([(200.0, 210.0), (180.0, 200.0)], [300.0, 86.0]) == 86.0
    assert attainable([(60.0, 70.0)], [86.0]) == 60.0
    # Three networks that are all too stiff: none of them is balanced beside a ridge of 86.
    best = attainable([(230.0, 240.0), (200.0, 210.0), (180.0, 190.0)], [86.0])
    assert measure_fit(180.0, 190.0, best, 50, 50).regime is Regime.UNDERFIT


def test_a_network_that_learned_by_heart_makes_no_other_underfit() -> None:
    by_heart, good = (5.0, 61.0), (33.0, 45.0)
    best = attainable([by_heart, good], [40.9])
    assert best == 33.0
    assert measure_fit(*good, best, 25, 25).regime is Regime.BALANCED
    assert measure_fit(*by_heart, best, 200, 200).regime is Regime.OVERFIT
    # With nothing else to go by, it counts.
    assert attainable([by_heart]) == 5.0
    assert attainable([by_heart], [40.9]) == 40.9

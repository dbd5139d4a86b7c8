"""A blend of two forecasts: its weight, and whether it is called better."""

import numpy as np
import numpy.typing as npt
import pytest

from search.results.combination import EQUAL, best_weight, combine, cross_fitted

FloatArray = npt.NDArray[np.float64]
NAMES = ("network", "floor")


def _errors(seed: int, scale: float, folds: int = 3, hours: int = 170) -> list[FloatArray]:
    generator = np.random.default_rng(seed)
    return [scale * generator.normal(size=(hours, 2)) for _ in range(folds)]


@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7, 9.0])
def test_the_closed_form_finds_the_lowest_squared_error(scale: float) -> None:
    first, second = _errors(1, scale)[0], _errors(2, 1.0)[0]
    first = first + 0.5 * second
    grid = np.linspace(0.0, 1.0, 2001)
    squares = [float(np.mean((w * first + (1 - w) * second) ** 2)) for w in grid]
    assert best_weight(first, second) == pytest.approx(grid[int(np.argmin(squares))], abs=5e-4)


def test_a_weight_stays_within_0_and_1() -> None:
    error = _errors(3, 1.0)[0]
    assert best_weight(error, 2 * error) == 1.0
    assert best_weight(2 * error, error) == 0.0
    assert best_weight(error, error) == EQUAL


def test_a_folds_weight_is_fitted_to_the_other_folds() -> None:
    first, second = _errors(4, 1.0), _errors(5, 1.5)
    found = cross_fitted(first, second)
    for fold in range(3):
        others = [at for at in range(3) if at != fold]
        grid = np.linspace(0.0, 1.0, 2001)
        pairs = [(first[at], second[at]) for at in others]
        squares = [sum(float(((w * a + (1 - w) * b) ** 2).sum()) for a, b in pairs) for w in grid]
        weight = grid[int(np.argmin(squares))]
        expected = weight * first[fold] + (1 - weight) * second[fold]
        np.testing.assert_allclose(found[fold], expected, atol=5e-3)
        # What this fold holds plays no part in its own weight.
        spoilt = [*second]
        spoilt[fold] = 1e3 * second[fold]
        own = cross_fitted(first, spoilt)[fold]
        np.testing.assert_allclose(
            (own - weight * first[fold]) / 1e3, expected - weight * first[fold], atol=5e-3
        )


def test_equally_good_forecasts_that_err_at_different_hours_are_blended_half_and_half() -> None:
    found = combine(NAMES, _errors(6, 1.0), _errors(7, 1.0))
    assert found.pays and not found.fitted and found.weight == EQUAL
    assert found.rmse == pytest.approx(np.sqrt(0.5), rel=0.1)
    assert (found.against_first.name, found.against_second.name) == NAMES
    whole = np.concatenate(found.residuals)
    assert found.rmse == pytest.approx(float(np.sqrt(np.mean(whole**2))))


def test_a_far_weaker_forecast_gets_a_small_fitted_weight() -> None:
    found = combine(NAMES, _errors(8, 3.0), _errors(9, 1.0))
    # 1 / (1 + 9) by the theory of independent errors.
    assert found.fitted and found.weight == pytest.approx(0.1, abs=0.03)
    assert found.weight == round(found.weight, 3)
    assert found.against_first.clearly_better
    crossed = cross_fitted(_errors(8, 3.0), _errors(9, 1.0))
    np.testing.assert_array_equal(np.concatenate(found.residuals), np.concatenate(crossed))


def test_what_adds_nothing_is_not_called_better() -> None:
    floor = _errors(10, 1.0)
    worse = [one + 0.5 * noise for one, noise in zip(floor, _errors(11, 1.0), strict=True)]
    assert not combine(NAMES, worse, floor).pays
    assert not combine(NAMES, floor, floor).pays


def test_what_the_folds_cannot_tell_from_the_first_is_preferred() -> None:
    first = _errors(14, 1.0)
    pairs = zip(first, _errors(15, 1.0), strict=True)
    found = combine(NAMES, first, [one + 0.6 * other for one, other in pairs])
    assert found.preferred and found.safer and not found.pays and 0 < found.weight < 1


def test_what_is_better_than_a_first_that_adds_nothing_is_preferred_but_not_called_better() -> None:
    floor = _errors(10, 1.0)
    worse = [one + noise for one, noise in zip(floor, _errors(11, 1.0), strict=True)]
    found = combine(NAMES, worse, floor)
    assert found.against_first.clearly_better and not found.against_second.clearly_better
    assert found.preferred == (0 < found.weight < 1) and not found.safer and not found.pays


def test_what_leaves_nothing_of_the_second_or_is_worse_than_the_first_is_not_preferred() -> None:
    first = _errors(14, 1.0)
    noise = _errors(15, 1.0)
    alone = combine(
        NAMES, first, [2 * one + other for one, other in zip(first, noise, strict=True)]
    )
    assert alone.weight == 1 and alone.against_second.clearly_better and not alone.preferred
    single, apart = (_errors(seed, 1.0, folds=1, hours=300) for seed in (16, 17))
    worse = combine(
        NAMES, single, [one + 3 * other for one, other in zip(single, apart, strict=True)]
    )
    assert not worse.fitted and worse.against_first.clearly_worse and not worse.preferred


def test_of_few_hours_a_network_that_is_better_there_stays_alone() -> None:
    pairs = zip(
        _errors(14, 1.0, folds=1, hours=48), _errors(15, 1.0, folds=1, hours=48), strict=True
    )
    first = _errors(14, 1.0, folds=1, hours=48)
    found = combine(NAMES, first, [one + 3 * other for one, other in pairs])
    assert found.against_first.low > 0 and not found.against_first.clearly_worse
    assert found.weight == EQUAL and not found.preferred


def test_folds_too_short_to_tell_are_not_called_better() -> None:
    first, second = (_errors(seed, 1.0, folds=3, hours=60) for seed in (12, 13))
    found = combine(NAMES, first, second)
    assert found.against_first.high < 0 and not found.pays


def test_of_a_single_fold_the_weights_are_equal() -> None:
    found = combine(NAMES, _errors(8, 3.0, folds=1), _errors(9, 1.0, folds=1))
    assert not found.fitted and found.weight == EQUAL


def test_other_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="same windows"):
        combine(NAMES, _errors(1, 1.0), [one[:, :1] for one in _errors(2, 1.0)])

"""Scaling is fitted once and exact both ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_pipeline.scaling import Scaler

values = st.floats(-1e15, 1e15, allow_nan=False, width=64)
tables = hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=values)


@given(tables)
def test_fitted_rows_land_in_0_to_1(rows: np.ndarray) -> None:
    scaled = Scaler.fit(rows, 0).transform(rows)
    assert np.isfinite(scaled).all()
    assert scaled.min() >= 0.0
    assert scaled.max() <= 1.0


@given(tables, st.data())
def test_inverse_is_exact_to_rounding_in_float64(rows: np.ndarray, data: st.DataObject) -> None:
    column = data.draw(st.integers(0, rows.shape[1] - 1))
    scaler = Scaler.fit(rows, column)
    back = scaler.inverse_target(scaler.transform(rows)[:, column])
    largest = max(np.abs(rows[:, column]).max(), scaler.range[column])
    assert np.abs(back - rows[:, column]).max() <= 4e-15 * largest


@given(hnp.arrays(np.float64, st.integers(2, 30), elements=st.floats(1.0, 1e5, width=64)))
def test_inverse_of_usage_is_close_to_1e_6_relative_through_float32(usage: np.ndarray) -> None:
    scaler = Scaler.fit(usage[:, np.newaxis], 0)
    scaled = scaler.transform(usage[:, np.newaxis]).astype(np.float32)[:, 0]
    np.testing.assert_allclose(
        scaler.inverse_target(scaled), usage, rtol=1e-6, atol=1e-7 * float(scaler.range[0])
    )


def test_later_rows_may_leave_0_to_1() -> None:
    scaler = Scaler.fit(np.array([[0.0], [10.0]]), 0)
    np.testing.assert_array_equal(scaler.transform(np.array([[-10.0], [20.0]])), [[-1.0], [2.0]])


def test_a_scaler_is_frozen_and_leaves_its_input_alone() -> None:
    minimum = np.zeros(2)
    scaler = Scaler(minimum, np.ones(2), 0)
    minimum[0] = 5.0
    assert scaler.minimum[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        scaler.minimum[0] = 1.0


@pytest.mark.parametrize(
    ("minimum", "spread", "column", "message"),
    [
        ([0.0], [1.0, 1.0], 0, "one length"),
        ([np.nan], [1.0], 0, "finite"),
        ([0.0], [0.0], 0, "positive"),
        ([0.0], [1.0], 1, "target_column must be 0..0, found 1"),
    ],
)
def test_a_wrong_scaler_is_refused_at_birth(
    minimum: list[float], spread: list[float], column: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Scaler(np.array(minimum), np.array(spread), column)


def test_wrong_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="rows must be"):
        Scaler.fit(np.empty((0, 2)), 0)

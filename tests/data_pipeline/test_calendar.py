"""The ends of a day and of a week are neighbours, not twins."""

import numpy as np
import pandas as pd

from data_pipeline.calendar import cycles

WEEK = cycles(pd.date_range("2014-01-06", periods=168, freq="h"))  # from a Monday on


def test_hour_23_and_hour_0_differ() -> None:
    step = np.linalg.norm(WEEK[23, :2] - WEEK[0, :2])
    np.testing.assert_allclose(step, np.linalg.norm(WEEK[1, :2] - WEEK[0, :2]))
    assert step > 0.2


def test_sunday_and_monday_differ() -> None:
    sunday, monday, tuesday = WEEK[6 * 24, 2:], WEEK[0, 2:], WEEK[24, 2:]
    np.testing.assert_allclose(np.linalg.norm(sunday - monday), np.linalg.norm(tuesday - monday))
    assert np.linalg.norm(sunday - monday) > 0.8


def test_every_hour_and_every_day_has_its_own_point() -> None:
    assert len(np.unique(WEEK.round(9), axis=0)) == 168
    assert WEEK.dtype == np.float64


def test_known_points() -> None:
    np.testing.assert_allclose(WEEK[0], [0.0, 1.0, 0.0, 1.0], atol=1e-15)
    np.testing.assert_allclose(WEEK[6, :2], [1.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(
        WEEK[24, 2:], [np.sin(2 * np.pi / 7), np.cos(2 * np.pi / 7)], atol=1e-15
    )

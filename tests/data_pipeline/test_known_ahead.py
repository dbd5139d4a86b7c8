"""Columns known ahead: what a window sees of them, and the holidays of two countries."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_pipeline.framing import Framing
from data_pipeline.inputs import INPUTS, Inputs
from data_pipeline.known_ahead import not_known, read_ahead
from data_pipeline.load import load_last_hours, load_series
from data_pipeline.public_holidays import public_holidays
from data_pipeline.rules import ReadingRules
from data_pipeline.series import HourlySeries
from data_pipeline.source import DataSource
from data_pipeline.windows import open_test, prepare
from tests.data_pipeline.files import hours, rows, series, text, write

WEATHER = ["2014-01-03 00:00,20.5,", "2014-01-03 01:00,21.5,", "2014-01-03 02:00,22.5,"]


def _known(n: int, covariates: int = 2) -> HourlySeries:
    """A random series whose first covariate is known ahead."""
    return dataclasses.replace(series(n, seed=n, covariates=covariates), known_ahead=("c0",))


def _changed(whole: HourlySeries, row: int, ahead: int) -> HourlySeries:
    """The same with other values from `row` on, and of the column known ahead from row + ahead."""
    target, covariates = whole.target.copy(), whole.covariates.copy()
    target[row:] += 1e5
    covariates[row:, 1] += 1e5
    covariates[row + ahead :, 0] += 1e5
    return dataclasses.replace(whole, target=target, covariates=covariates)


def test_a_row_holds_the_value_of_horizon_hours_later() -> None:
    whole = dataclasses.replace(
        series(6, covariates=2),
        covariates=np.array([[0.0, 1, 2, 3, 4, 5], [10.0, 11, 12, 13, 14, 15]]).T,
        target=np.arange(20.0, 26),
        known_ahead=("c0",),
    )
    values = whole.input_values(2)
    assert values[:, 0].tolist() == [2, 3, 4, 5, 5, 5]
    assert values[:, 1].tolist() == [10, 11, 12, 13, 14, 15]
    assert values[:, 2].tolist() == [20, 21, 22, 23, 24, 25]
    assert read_ahead(np.arange(5.0), 3, 2).tolist() == [2, 3, 4]


@pytest.mark.parametrize("inputs", INPUTS)
@settings(max_examples=60, deadline=None)
@given(horizon=st.integers(1, 30), window=st.integers(1, 60), at=st.integers(0, 10_000))
def test_a_window_sees_of_what_is_known_ahead_the_hours_that_are_forecast_and_no_more(
    inputs: Inputs, horizon: int, window: int, at: int
) -> None:
    whole, framing = _known(900), Framing(window=window, horizon=horizon)
    before = prepare(whole, framing, inputs)
    scaler, row = before.scaler, at % len(before.held_out)
    origin = int(before.held_out.origins[row])

    def window_of(other: HourlySeries) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        again = prepare(other, framing, inputs)
        # In the unit, because the scaler follows the changed values where they are trained on.
        x = again.held_out.x[row] * again.scaler.range + again.scaler.minimum
        return np.asarray(x)

    seen = before.held_out.x[row] * scaler.range + scaler.minimum
    np.testing.assert_allclose(window_of(_changed(whole, origin, horizon)), seen, atol=0.1)
    # The last hour that is forecast is seen, in the last row of the window and nowhere else.
    one_more = window_of(_changed(whole, origin, horizon - 1))
    off = np.argwhere(np.abs(one_more - seen) > 1e3)
    assert off.tolist() == [[window - 1, 0]]


@pytest.mark.parametrize("horizon", [1, 24])
def test_nothing_of_a_later_period_is_read(horizon: int) -> None:
    whole, framing = _known(1200), Framing(window=48, horizon=horizon)
    opened = open_test(whole, framing)
    validated = prepare(whole, framing)
    spoilt = prepare(_changed(whole, opened.train_rows, 0), framing)
    np.testing.assert_array_equal(spoilt.held_out.x, validated.held_out.x)
    np.testing.assert_array_equal(spoilt.held_out.y, validated.held_out.y)
    spoilt = prepare(_changed(whole, validated.train_rows, 0), framing)
    np.testing.assert_array_equal(spoilt.train.x, validated.train.x)
    np.testing.assert_array_equal(spoilt.scaler.range, validated.scaler.range)


def test_the_windows_of_a_column_known_ahead_end_with_its_value_at_the_last_target() -> None:
    whole = _known(900)
    prepared = prepare(whole, Framing(window=48, horizon=5))
    lasts = prepared.held_out.x[:, -1, 0] * prepared.scaler.range[0] + prepared.scaler.minimum[0]
    expected = whole.covariates[prepared.held_out.origins + 4, 0]
    np.testing.assert_allclose(lasts, expected, atol=1e-4)


def _holidays(code: str, days: str, until: str) -> list[str]:
    local = pd.date_range(days, until, freq="h")
    marked = local[public_holidays(local, code) == 1]
    assert len(marked) == 24 * len(marked.normalize().unique())
    return [f"{day:%m-%d}" for day in marked.normalize().unique()]


def test_the_holidays_of_a_spring_in_korea_and_germany() -> None:
    spring = ("2014-04-01", "2014-06-30 23:00")
    # Children's Day, Buddha's Birthday, local elections, Memorial Day.
    assert _holidays("KR", *spring) == ["05-05", "05-06", "06-04", "06-06"]
    # Good Friday, Easter Monday, Labour Day, Ascension, Whit Monday; in Bavaria Corpus Christi.
    germany = ["04-18", "04-21", "05-01", "05-29", "06-09"]
    assert _holidays("DE", *spring) == germany
    assert _holidays("DE-BY", *spring) == [*germany, "06-19"]
    assert _holidays("DE", "2013-12-24", "2014-01-02 23:00") == ["12-25", "12-26", "01-01"]


def test_holidays_become_a_column_behind_the_features_and_are_known_ahead() -> None:
    source = DataSource(start="2014-04-01", end="2014-04-30", holidays="AU-VIC")
    found, _ = load_series(source)
    assert found.covariate_names == ("Temperature", "holiday")
    assert found.known_ahead == ("holiday",) and found.holidays == "AU-VIC"
    days = found.local[found.covariates[:, 1] == 1].normalize().unique()
    assert [f"{day:%m-%d}" for day in days] == ["04-18", "04-19", "04-21", "04-25"]
    plain, _ = load_series(source.model_copy(update={"holidays": None}))
    assert plain.covariate_names == ("Temperature",) and plain.fingerprint != found.fingerprint


def test_rows_of_coming_hours_are_kept_for_a_forecast_up_to_the_first_without_weather(
    tmp_path: Path,
) -> None:
    lines = [*rows(hours(48)), *WEATHER]
    ahead = {"known_ahead": ("Temperature",)}

    def last(*more: str, **options: object) -> HourlySeries:
        path = write(tmp_path, text(more))
        found, _ = load_last_hours(DataSource.model_validate({"path": path, **options}))
        assert len(found) == 48
        return found

    assert last(*lines, **ahead).coming.tolist() == [[20.5], [21.5], [22.5]]
    assert last(*lines, **ahead, holidays="KR").coming[:, 0].tolist() == [20.5, 21.5, 22.5]
    assert last(*lines).coming.shape == (0, 1)
    assert last(*lines[:48], **ahead).coming.shape == (0, 1)
    assert last(*lines[:49], *lines[50:], **ahead).coming.tolist() == [[20.5]]
    unknown = "2014-01-03 01:00,,"
    assert last(*lines[:49], unknown, lines[50], **ahead).coming.tolist() == [[20.5]]
    # A search is told of them, and reads none.
    path = write(tmp_path, text(lines))
    searched, report = load_series(DataSource.model_validate({"path": path, **ahead}))
    assert len(searched) == 48 and len(searched.coming) == 0
    assert any("only a forecast reads their 'Temperature'" in line for line in report.repairs)


def test_what_is_missing_of_the_coming_hours_is_told() -> None:
    last = pd.Timestamp("2014-06-30 23:00")
    assert not_known(["T"], 24, 24, last, "Usage") == ""
    assert not_known([], 0, 24, last, "Usage") == ""
    said = not_known(["T", "Wind"], 3, 24, last, "Usage")
    assert "expected 'T' and 'Wind', known ahead" in said
    assert "24 coming hour(s), 2014-07-01 00:00 to 2014-07-01 23:00, found 3 such row(s)" in said
    assert said.endswith("after the last 'Usage' at 2014-06-30 23:00, up to 2014-07-01 02:00")


def test_the_rules_are_not_dumped_where_nothing_is_known_ahead() -> None:
    assert not {"known_ahead", "holidays"} & set(ReadingRules().model_dump())
    told = ReadingRules(features=("A", "B,C"), known_ahead=("B,C",), holidays="DE-BY")
    assert told.words()[-4:] == ["--known-ahead", '"B,C"', "--holidays", "DE-BY"]
    assert ReadingRules.model_validate(told.model_dump(mode="json")) == told
    assert ReadingRules.model_validate({"holidays": ""}) == ReadingRules()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"known_ahead": ("Wind",)}, r"--features \(Temperature\), found \['Wind'\] \["),
        ({"known_ahead": ("Usage",)}, "'Usage' is what is forecast"),
        ({"features": (), "known_ahead": ("Wind",)}, "there are none"),
        ({"holidays": "XX"}, r"found 'XX'\. All \d+ codes: python -c .import holidays; print"),
        ({"holidays": "KOR"}, r"found 'KOR'\. Did you mean KR \(South Korea\)\? All"),
        ({"holidays": "Germny"}, r"Did you mean DE \(Germany\)"),
        ({"holidays": "DE-XX"}, "a part of DE: DE-BB, .*DE-BY.*; found 'DE-XX'"),
        ({"holidays": "MC-1"}, "a part of MC: none; found 'MC-1'"),
        ({"features": ("holiday",), "holidays": "KR"}, "--holidays adds a column 'holiday'"),
    ],
)
def test_what_cannot_be_known_is_refused(rules: dict[str, object], said: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=said):
        ReadingRules.model_validate(rules)

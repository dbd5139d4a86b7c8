"""Columns and numbers that say what a row means: quality, direction, unit, codes, sums; D29."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.rules import rules_of_before
from data_pipeline.source import DataSource

HOURS = 24 * 14
USAGE = np.round(50 - 20 * np.cos(np.arange(HOURS) / 24 * 2 * np.pi) + np.arange(HOURS) % 7, 2)
TIMES = [f"{time:%Y-%m-%d %H:%M}" for time in pd.date_range("2021-05-03", periods=HOURS, freq="h")]


def _source(folder: Path, header: str, *columns: Iterable[object], **options: object) -> DataSource:
    path = folder / "meter.csv"
    rows = [",".join(map(str, row)) for row in zip(TIMES, *columns, strict=False)]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return DataSource.model_validate({"path": path, "unit": "units", "features": (), **options})


def _refused(source: DataSource) -> DataError:
    with pytest.raises(DataError) as caught:
        load_series(source)
    return caught.value


def _read_by(source: DataSource, error: DataError, at: int, **more: object) -> np.ndarray:
    """The target as the way of this place reads it."""
    return load_series(source.change(**error.ways[at].changes, **more))[0].target


def _with(values: np.ndarray, at: Sequence[int], value: float) -> list[str]:
    return [f"{value:g}" if i in at else f"{one:.2f}" for i, one in enumerate(values)]


@pytest.mark.parametrize(
    ("name", "usual", "mark"),
    [
        ("Status", "OK", "Missing"),
        ("Quality", "Good", "Bad"),
        ("Zählerstatus", "gültig", "ungültig"),
        ("Reading type", "Actual", "No data"),
        ("상태", "정상", "결측"),
        ("Valid", "1", "0"),
        ("Missing", "no", "yes"),
        ("Remarks", "", "Comms fault - no reading"),
    ],
)
def test_d29_rows_marked_as_missing_are_gaps(
    tmp_path: Path, name: str, usual: str, mark: str
) -> None:
    at = (50, 51)
    marks = [mark if i in at else usual for i in range(HOURS)]
    source = _source(tmp_path, f"Date,Usage,{name}", _with(USAGE, at, 0), marks)
    message = str(_refused(source))
    assert f"'{name}' says '{mark}' in 2 rows (lines 52, 53): no value there" in message
    series, report = load_series(source.change(gaps="interpolate"))
    expected = USAGE.copy()
    expected[50:52] = np.interp([1, 2], [0, 3], [USAGE[49], USAGE[52]])
    np.testing.assert_allclose(series.target, expected, atol=1e-9)
    assert any("no value there" in one for one in report.repairs)


def test_d29_rows_marked_as_missing_are_kept_if_told(tmp_path: Path) -> None:
    marks = ["Missing" if i in (50, 51) else "OK" for i in range(HOURS)]
    source = _source(tmp_path, "Date,Usage,Status", _with(USAGE, (50, 51), 0), marks, missing=())
    series, report = load_series(source)
    assert series.target[50] == 0 and any("their values are kept" in one for one in report.warnings)


@pytest.mark.parametrize("mark", ["Estimated", "Estimated (missing data)", "Ersatzwert", "추정"])
def test_d29_estimated_rows_are_kept_and_told(tmp_path: Path, mark: str) -> None:
    marks = [mark if i % 9 == 0 else "Actual" for i in range(HOURS)]
    series, report = load_series(_source(tmp_path, "Date,Usage,Quality", USAGE, marks))
    np.testing.assert_array_equal(series.target, USAGE)
    assert any(f"are marked '{mark}'; their values are kept" in one for one in report.found)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Status", ("no error", "ok")),
        ("Status", ("error-free", "ok")),
        ("Place", ("Lost Hills", "Bad Ems")),
        ("Quality", ("valid", "ok")),
        ("Note", ("error cleared", "")),
        ("Rate", ("Peak", "Off-peak")),
        ("Status", ("Door in", "Door out")),
        ("Alarm", ("Error 12", "No alarm")),
    ],
)
def test_d29_other_words_change_nothing(tmp_path: Path, name: str, words: tuple[str, str]) -> None:
    marks = [words[i % 2] for i in range(HOURS)]
    series, report = load_series(_source(tmp_path, f"Date,Usage,{name}", USAGE, marks))
    np.testing.assert_array_equal(series.target, USAGE)
    assert not report.repairs and not report.found


def test_d29_the_quality_of_a_feature_is_not_that_of_the_target(tmp_path: Path) -> None:
    marks = ["Missing" if i in (50, 51) else "OK" for i in range(HOURS)]
    header = "Date,Usage,Temperature,Temperature quality"
    source = _source(tmp_path, header, USAGE, USAGE / 4, marks, features=("Temperature",))
    np.testing.assert_array_equal(load_series(source)[0].target, USAGE)


def test_d29_a_short_mark_beside_one_odd_value_is_asked(tmp_path: Path) -> None:
    marks = ["F" if i in (50, 51) else "A" for i in range(HOURS)]
    source = _source(tmp_path, "Date,Usage,Quality", _with(USAGE, (50, 51), -1), marks)
    error = _refused(source)
    assert [way.changes for way in error.ways] == [{"where": ("Quality=A",)}, {"missing": ()}]
    filled = _read_by(source, error, 0, gaps="interpolate")
    np.testing.assert_allclose(filled[[49, 52]], USAGE[[49, 52]])
    assert filled[50:52].min() > 0 and _read_by(source, error, 1)[50] == -1


@pytest.mark.parametrize(
    "words",
    [
        ("Import", "Export"),
        ("Delivered", "Received"),
        ("Consumption", "Generation"),
        ("Bezug", "Einspeisung"),
        ("A+", "A-"),
        ("수전", "역송"),
    ],
)
def test_d29_two_directions_are_asked(tmp_path: Path, words: tuple[str, str]) -> None:
    back = np.isin(np.arange(HOURS) % 24, (11, 12, 13))
    source = _source(tmp_path, "Date,Usage,Flow", USAGE, np.where(back, words[1], words[0]))
    error = _refused(source)
    assert f"'{words[0]}' in {int((~back).sum())} rows" in error.message
    assert [way.changes["where"] for way in error.ways] == [
        (f"Flow={words[0]}",),
        (f"Flow={words[1]}",),
        (f"Flow={words[0]}", f"Flow={words[1]}"),
    ]
    taken = _read_by(source, error, 0, gaps="interpolate")
    np.testing.assert_array_equal(taken[~back], USAGE[~back])
    np.testing.assert_array_equal(_read_by(source, error, 2), USAGE)


def test_d29_directions_with_their_signs_are_a_balance(tmp_path: Path) -> None:
    back = np.arange(HOURS) % 24 == 12
    net = np.where(back, -USAGE, USAGE)
    flow = np.where(back, "Export", "Import")
    np.testing.assert_array_equal(
        load_series(_source(tmp_path, "Date,Usage,Flow", net, flow))[0].target, net
    )


def test_d29_a_unit_that_changes_is_read_as_one(tmp_path: Path) -> None:
    small = np.arange(HOURS) % 5 == 0
    cells = [f"{one * 1000:.0f}" if at else one for one, at in zip(USAGE, small, strict=True)]
    source = _source(tmp_path, "Date,Usage,Unit", cells, np.where(small, "Wh", "kWh"))
    series, report = load_series(source)
    np.testing.assert_array_equal(series.target, USAGE)
    said = "'Unit' holds the units Wh and kWh: 68 values of 'Usage' turned into kWh"
    assert any(said in one for one in report.repairs)
    assert not report.warnings and any("unit seems to be kWh" in one for one in report.why)


def test_d29_a_column_of_the_letter_w_is_no_unit(tmp_path: Path) -> None:
    series, report = load_series(_source(tmp_path, "Date,Usage,Status", USAGE, ["W"] * HOURS))
    np.testing.assert_array_equal(series.target, USAGE)
    assert not any("unit seems" in one for one in report.why)


def test_d18_d29_a_unit_in_a_column_of_words_tells_how_to_combine(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    times = pd.date_range("2021-05-03", periods=2 * HOURS, freq="30min")
    rows = [
        f"{time:%Y-%m-%d %H:%M},{one / 2},Active Import Interval (kWh)"
        for time, one in zip(times, USAGE.repeat(2), strict=True)
    ]
    path.write_text("\n".join(["Date,Value,Read Type", *rows]) + "\n", encoding="utf-8")
    plain = {"path": path, "unit": "units", "features": (), "target": "Value"}
    source = DataSource.model_validate(plain)
    error = _refused(source)
    assert [way.changes for way in error.ways] == [{"resample": "sum"}]
    np.testing.assert_allclose(_read_by(source, error, 0), USAGE)


@pytest.mark.parametrize(
    ("name", "first"), [("Usage", "sum"), ("Verbrauch", "sum"), ("Load", "mean"), ("x", "mean")]
)
def test_d18_the_likelier_way_to_combine_is_offered_first(
    tmp_path: Path, name: str, first: str
) -> None:
    path = tmp_path / "meter.csv"
    times = pd.date_range("2021-05-03", periods=HOURS, freq="30min")
    rows = [f"{time:%Y-%m-%d %H:%M},{one}" for time, one in zip(times, USAGE, strict=True)]
    path.write_text("\n".join([f"Date,{name}", *rows]) + "\n", encoding="utf-8")
    plain = {"path": path, "unit": "units", "features": (), "target": name}
    error = _refused(DataSource.model_validate(plain))
    assert error.ways[0].changes == {"resample": first} and len(error.ways) == 2


@pytest.mark.parametrize("code", ["99999.99", "9999.99", "-99999.9", "0"])
@pytest.mark.parametrize("comma", [False, True])
def test_d29_a_code_among_values_is_asked(tmp_path: Path, code: str, comma: bool) -> None:
    cells = _with(USAGE, (70, 71, 200), float("nan"))
    cells = [one.replace("nan", code) for one in cells]
    if comma:
        cells = [f'"{one.replace(".", ",")}"' for one in cells]
    source = _source(tmp_path, "Date,Usage", cells)
    error = _refused(source)
    assert f"found {code} in column 'Usage', 3 times (lines 72, 73, 202)" in error.message
    assert [way.changes for way in error.ways] == [{"missing": (code,)}, {"missing": ()}]
    filled = _read_by(source, error, 0, gaps="interpolate")
    known = ~np.isin(np.arange(HOURS), (70, 71, 200))
    np.testing.assert_array_equal(filled[known], USAGE[known])
    assert filled.min() > 20 and filled.max() < 80
    assert _read_by(source, error, 1)[70] == float(code)


def test_d29_a_code_near_the_values_is_asked_if_it_comes_often(tmp_path: Path) -> None:
    cells = _with(USAGE * 100, (70, 71, 200), 9999)
    assert (
        "found 9999 in column 'Usage', 3 times"
        in _refused(_source(tmp_path, "Date,Usage", cells)).message
    )


def test_d29_zeros_to_the_end_of_the_file_are_asked(tmp_path: Path) -> None:
    cells = [*USAGE[:-60], *[0] * 60]
    error = _refused(_source(tmp_path, "Date,Usage", cells))
    assert "found 0 in column 'Usage', 60 times" in error.message
    source = _source(tmp_path, "Date,Usage", cells)
    np.testing.assert_array_equal(_read_by(source, error, 0), USAGE[:-60])


@pytest.mark.parametrize(
    "usage",
    [
        np.arange(HOURS) % 6,
        np.maximum(0, USAGE - 32).round(2),
        np.where(np.arange(HOURS) % 4, 0, USAGE),
        np.where(np.arange(HOURS) % 72 < 30, 0, USAGE),
    ],
    ids=["counts", "near zero", "off most of the time", "off for days, again and again"],
)
def test_d29_usual_zeros_are_values(tmp_path: Path, usage: np.ndarray) -> None:
    series, _ = load_series(_source(tmp_path, "Date,Usage", usage))
    np.testing.assert_array_equal(series.target, usage)


def test_d29_a_sum_with_a_time_of_its_own_is_asked(tmp_path: Path) -> None:
    source = _source(tmp_path, "Date,Usage", [*USAGE[:-1], round(USAGE[:-1].sum(), 2)])
    error = _refused(source)
    assert f"in line {HOURS + 1} is the sum of the rows above" in error.message
    np.testing.assert_array_equal(_read_by(source, error, 0), USAGE[:-1])
    assert _read_by(source, error, 1)[-1] > 10_000


@pytest.mark.parametrize("clock", ["", " 23:59"])
@pytest.mark.parametrize("below", [True, False])
def test_d29_sums_without_a_step_of_their_own_are_left_out(
    tmp_path: Path, below: bool, clock: str
) -> None:
    lines = []
    for day in range(HOURS // 24):
        own = slice(24 * day, 24 * day + 24)
        hours = [f"{t},{u}" for t, u in zip(TIMES[own], USAGE[own], strict=True)]
        total = f"{TIMES[own][0][:10]}{clock},{USAGE[own].sum():.1f}"
        lines += [*hours, total] if below else [total, *hours]
    path = tmp_path / "meter.csv"
    path.write_text("\n".join(["Date,Usage", *lines]) + "\n", encoding="utf-8")
    series, report = load_series(
        DataSource.model_validate({"path": path, "unit": "units", "features": ()})
    )
    np.testing.assert_array_equal(series.target, USAGE)
    where = "above" if below else "below"
    assert any(f"14 sums of the rows {where} left out" in one for one in report.repairs)


def test_d22_d29_rules_of_the_first_edition_read_as_they_did(tmp_path: Path) -> None:
    marks = ["Missing" if i in (50, 51) else "Import" if i % 2 else "Export" for i in range(HOURS)]
    cells = _with(USAGE, (50, 51), 0)
    source = _source(tmp_path, "Date,Usage,Status", cells, marks)
    kept = source.model_dump(mode="json", exclude={"edition"})
    series, _ = load_series(DataSource.model_validate(rules_of_before(kept)))
    np.testing.assert_array_equal(series.target, [float(one) for one in cells])


def test_d14_a_total_above_the_data_is_left_out(tmp_path: Path) -> None:
    source = _source(tmp_path, f"Date,Usage\nTotal,{USAGE.sum():.2f}", USAGE)
    np.testing.assert_array_equal(load_series(source)[0].target, USAGE)

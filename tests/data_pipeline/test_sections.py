"""Several tables below each other in one file; D14."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from search import run
from search.common.errors import WRONG_INPUT
from tests.data_pipeline.workbooks import workbook_with

HOURS = 24 * 5
USAGE = np.round(50 - 20 * np.cos(np.arange(HOURS) / 24 * 2 * np.pi), 2)
TIMES = [f"{time:%Y-%m-%d %H:%M}" for time in pd.date_range("2021-05-03", periods=HOURS, freq="h")]


def _rows(values: np.ndarray, *more: str) -> list[str]:
    return [",".join([t, f"{u:g}", *more]) for t, u in zip(TIMES, values, strict=False)]


def _source(folder: Path, lines: list[str], **options: object) -> DataSource:
    path = folder / "meter.csv"
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    return DataSource.model_validate({"path": path, "unit": "units", "features": (), **options})


def _refused(source: DataSource) -> DataError:
    with pytest.raises(DataError) as caught:
        load_series(source)
    return caught.value


def test_d14_a_second_table_below_a_title_is_asked(tmp_path: Path) -> None:
    lines = ["Import", "Date,Usage", *_rows(USAGE), "", "Export", "Date,Usage", *_rows(USAGE / 9)]
    source = _source(tmp_path, lines)
    error = _refused(source)
    assert "found 2 below each other" in error.message
    assert f"line {HOURS + 5} below 'Export': 'Date', 'Usage'" in error.message
    assert [way.changes for way in error.ways] == [{"section": 1}, {"section": 2}]
    first, report = load_series(source.change(section=1))
    np.testing.assert_array_equal(first.target, USAGE)
    assert any("table 1 of 2 below each other" in one for one in report.found)
    second, _ = load_series(source.change(section=2))
    np.testing.assert_allclose(second.target, USAGE / 9, rtol=1e-4)


def test_d14_a_second_table_in_another_unit_is_asked(tmp_path: Path) -> None:
    lines = ["Date,Usage", *_rows(USAGE)[:80], "Date,Usage [Wh]", *_rows(USAGE * 1000)[80:]]
    source = _source(tmp_path, lines)
    assert "line 82: 'Date', 'Usage [Wh]'" in _refused(source).message
    np.testing.assert_array_equal(load_series(source.change(section=1))[0].target, USAGE[:80])
    second, _ = load_series(source.change(section=2, target="Usage [Wh]"))
    np.testing.assert_allclose(second.target, USAGE[80:] * 1000, atol=1)


@pytest.mark.parametrize(
    ("names", "more"),
    [("Read date,Gas,Cost,Tariff", ("3.20", "A")), ("Reading,Gas", ()), ("Time,m³,Cost", ("1",))],
)
def test_d14_a_second_table_of_other_columns_is_asked(
    tmp_path: Path, names: str, more: tuple[str, ...]
) -> None:
    lines = ["Date,Usage", *_rows(USAGE), "", "Gas", names, *_rows(USAGE / 9, *more)]
    source = _source(tmp_path, lines)
    error = _refused(source)
    assert {"section": 1} in [way.changes for way in error.ways]
    np.testing.assert_array_equal(load_series(source.change(section=1))[0].target, USAGE)


def test_d14_a_section_that_is_not_there_is_named(tmp_path: Path) -> None:
    lines = ["Date,Usage", *_rows(USAGE)]
    assert load_series(_source(tmp_path, lines, section=1))[0].target[3] == USAGE[3]
    message = str(_refused(_source(tmp_path, lines, section=2)))
    assert "--section 2: found 1 table(s) that begin in line 1" in message


def test_d14_a_page_that_repeats_the_names_is_no_second_table(tmp_path: Path) -> None:
    rows = _rows(USAGE)
    lines = ["Date,Usage", *rows[:40], "Date,Usage", *rows[40:80], "Date,Usage", *rows[80:]]
    np.testing.assert_array_equal(load_series(_source(tmp_path, lines))[0].target, USAGE)


def test_d14_d22_each_table_has_its_complete_command(tmp_path: Path) -> None:
    times = pd.date_range("2021-05-03", periods=24 * 30, freq="h")
    rows = [f"{t:%Y-%m-%d %H:%M},{20 + i % 24}" for i, t in enumerate(times)]
    lines = ["Import", "Date,Usage", *rows, "", "Export", "Date,Usage", *rows]
    path = _source(tmp_path, lines).file
    options = ["--data", str(path), "--features", "", "--dry-run"]
    refused = CliRunner().invoke(run.main, options)
    assert refused.exit_code == WRONG_INPUT
    printed = [line for line in refused.stderr.splitlines() if "-m search.run" in line]
    assert len(printed) == 2 and all("--section" in line for line in printed)
    told = shlex.split(printed[0], comments=True)
    done = CliRunner().invoke(run.main, told[told.index("search.run") + 1 :])
    assert done.exit_code == 0 and "720 hours" in done.stdout and "--section 1" in done.stdout


def test_d20_sheets_with_the_same_columns_are_asked(tmp_path: Path) -> None:
    times = [time.to_pydatetime() for time in pd.to_datetime(TIMES)]
    sheets = {
        name: [["Date", "Usage"], *map(list, zip(times, USAGE * factor, strict=True))]
        for name, factor in (("House", 1.0), ("Garage", 0.5))
    }
    path = tmp_path / "meter.xlsx"
    path.write_bytes(workbook_with(sheets))
    source = DataSource.model_validate({"path": path, "unit": "units", "features": ()})
    error = _refused(source)
    assert "found 2: 'House', 'Garage'" in error.message
    assert [(way.changes, way.meaning) for way in error.ways] == [
        ({"section": 1}, "'House'"),
        ({"section": 2}, "'Garage'"),
    ]
    second, _ = load_series(source.change(section=2))
    np.testing.assert_allclose(second.target, USAGE * 0.5)
    assert "found 2 sheet(s)" in _refused(source.change(section=3)).message

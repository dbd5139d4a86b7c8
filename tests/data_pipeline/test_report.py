"""The report is short, complete and JSON-able."""

import json
from pathlib import Path

from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from tests.data_pipeline.files import hours, rows, text, write


def test_lines_of_the_built_in_series() -> None:
    _, report = load_series(DataSource())
    assert report.lines() == [
        "data: victoria_2014_hourly, 8760 hours, 2014-01-01 00:00 to 2014-12-31 23:00",
        "read: hourly, encoding UTF-8, separator comma",
        "ranges: Temperature 1.6 to 43.1; Usage 2864.29 to 9313.05",
        "gaps: none; duplicates: none; repaired: nothing",
    ]


def test_lines_stay_within_100_characters(tmp_path: Path) -> None:
    lines = rows(hours(400))
    for i in range(0, 360, 30):
        lines[i] = f"{lines[i].split(',')[0]},20,-2"
    del lines[100:103]
    path = write(tmp_path, text(lines[::-1]), "a" * 200 + ".csv")
    _, report = load_series(DataSource(path=path, gaps="interpolate"))
    assert max(map(len, report.lines())) <= 100
    assert sum(line.startswith("repaired: ") for line in report.lines()) == 2
    assert any(line.startswith("warning: ") for line in report.lines())


def test_as_dict_is_json(tmp_path: Path) -> None:
    lines = rows(hours(48))
    del lines[10]
    _, report = load_series(DataSource(path=write(tmp_path, text(lines)), gaps="interpolate"))
    found = json.loads(json.dumps(report.as_dict()))
    assert found["rows"] == 48
    assert found["gaps"] == {
        "count": 1,
        "longest": 1,
        "first": "2014-01-01 10:00",
        "last": "2014-01-01 10:00",
    }
    assert found["ranges"][1]["name"] == "Usage"

"""Reading rules are checked before a file is opened."""

import pytest
from pydantic import ValidationError

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.source import DataSource


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("path", "a\0b.csv", "found one with a NUL"),
        ("tz", "Berlin", "--tz expects an IANA time zone"),
        ("date_format", "mixed", "--date-format expects a strptime format"),
        ("date_format", "%d/%m/%Y %Z", "give --tz"),
        ("target", "Date", r"different columns, found \['Date'\]"),
        ("features", ("Usage",), r"different columns, found \['Usage'\]"),
        ("start", "01.04.2014", "isoformat"),
        ("gaps", "zero", "interpolate"),
        ("max_gap", 0, "greater than or equal to 1"),
        ("colour", "red", "not permitted"),
    ],
)
def test_a_wrong_rule_is_refused_at_birth(option: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataSource.model_validate({option: value})


def test_start_after_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="later than end"):
        DataSource(start="2014-06-30", end="2014-04-01")


def test_a_source_survives_json() -> None:
    source = DataSource(features=("a", "b"), tz="Europe/Berlin", start="2014-04-01")
    assert DataSource.model_validate_json(source.model_dump_json()) == source


def test_a_period_without_rows_names_the_period_found() -> None:
    with pytest.raises(DataError, match=r"found 2014-01-01 00:00 to 2014-12-31 23:00"):
        load_series(DataSource(start="2015-01-01"))


def test_a_period_beyond_the_data_is_warned() -> None:
    _, report = load_series(DataSource(start="2013-12-01", end="2014-01-31"))
    assert report.warnings == ("asked from 2013-12-01, the data begins 2014-01-01 00:00",)
    _, report = load_series(DataSource(start="2014-12-01", end="2015-01-01"))
    assert report.warnings == ("asked to 2015-01-01, the data ends 2014-12-31 23:00",)
    assert load_series(DataSource(start="2014-01-01", end="2014-12-31"))[1].warnings == ()


@pytest.mark.parametrize("date_format", ["%Q", "%d %d", "%"])
def test_a_date_format_that_python_refuses_is_a_data_error(date_format: str) -> None:
    with pytest.raises(DataError, match="--date-format"):
        load_series(DataSource(date_format=date_format))

"""Whatever is in the file, loading raises nothing but DataError."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_pipeline.errors import DataError
from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from tests.data_pipeline.files import HEADER, hours, rows, text

HOURS = hours(30, "2014-10-25 22:00")

cells = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "nan",
                "inf",
                "-1",
                "4000",
                "1e300",
                "1e-320",
                '"',
                '"1,5"',
                "x",
                "\0",
                "\r",
            ),
            *("2014-10-26 02:00", "2014-10-26 24:00", "2014-10-26T02:00Z", "26/10/2014 02:00"),
            *("2014-10-26 02:00+99:99", "9999-12-31 23:00", "0001-01-01 00:00", "2014-10-26"),
        ]
    ),
    st.sampled_from(HOURS),
    st.text(max_size=12),
    st.floats().map(str),
)
tables = st.lists(st.lists(cells, min_size=1, max_size=4), max_size=12).map(
    lambda table: text([",".join(row) for row in table])
)
sources = st.builds(
    DataSource,
    features=st.sampled_from([(), ("Temperature",)]),
    tz=st.sampled_from([None, "UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
    date_format=st.sampled_from([None, None, "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M%z", "%H"]),
    gaps=st.sampled_from(["error", "interpolate"]),
    resample=st.sampled_from([None, "mean"]),
    start=st.sampled_from([None, "2014-10-26"]),
)


def check(content: bytes, source: DataSource) -> None:
    """Loads the content; a series that comes out is sound, as its own checks demand."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_bytes(content)
        try:
            series, report = load_series(source.model_copy(update={"path": path}))
        except DataError as error:
            assert "any.csv" in str(error) or "--date-format" in str(error)
            return
    assert len(series) == report.rows
    assert np.isfinite(series.target).all()
    assert max(map(len, report.lines())) <= 100


@given(st.binary(max_size=300), sources)
@example(b"\xff\xfe", DataSource())
@example(b"\xff\xfeD", DataSource())
@example(b'"', DataSource())
@example(b"Date\rUsage", DataSource())
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes(content: bytes, source: DataSource) -> None:
    check(content, source)


@given(st.binary(max_size=100), sources)
@settings(max_examples=40, deadline=None)
def test_arbitrary_bytes_below_a_header(content: bytes, source: DataSource) -> None:
    check(f"{HEADER}\n".encode() + content, source)


@given(tables, sources, st.sampled_from(["utf-8", "utf-16", "cp949"]))
@example(f"{HEADER}\n,,,,\n", DataSource(), "utf-8")
@settings(max_examples=60, deadline=None)
def test_arbitrary_tables(content: str, source: DataSource, codec: str) -> None:
    check(content.encode(codec, errors="ignore"), source)


@given(st.data(), sources)
@settings(max_examples=60, deadline=None)
def test_a_sound_table_with_some_cells_replaced(data: st.DataObject, source: DataSource) -> None:
    lines = [row.split(",") for row in rows(HOURS)]
    places = st.tuples(st.integers(0, len(lines) - 1), st.integers(0, 2))
    for row, column in data.draw(st.lists(places, max_size=3)):
        lines[row][column] = data.draw(cells)
    check(text([",".join(line) for line in lines]).encode(errors="ignore"), source)

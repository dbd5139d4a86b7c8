"""One test or more for each data fault D1 to D13; the name says the row."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.errors import DataError
from data_pipeline.framing import Framing
from data_pipeline.load import load_series
from data_pipeline.report import DataReport
from data_pipeline.scaling import Scaler
from data_pipeline.series import HourlySeries
from data_pipeline.source import DataSource
from data_pipeline.windows import check_length, prepare, split_origins
from tests.data_pipeline.files import HEADER, hours, rows, series, text, write


def load(folder: Path, content: str | bytes, **options: object) -> tuple[HourlySeries, DataReport]:
    path = write(folder, content)
    return load_series(DataSource.model_validate({"path": path, **options}))


def fault(folder: Path, content: str | bytes, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, content, **options)
    message = str(caught.value)
    assert "load.csv" in message
    return message


def without(lines: list[str], *at: int) -> list[str]:
    return [line for i, line in enumerate(lines) if i not in at]


# D1: missing hours


def test_d1_missing_hours_are_counted_and_listed(tmp_path: Path) -> None:
    lines = without(rows(hours(48)), 5, 10, 11, 12, 30)
    message = fault(tmp_path, text(lines))
    assert "5 missing hours" in message
    assert "first 2014-01-01 05:00, last 2014-01-02 06:00, longest gap 3 h" in message
    assert "--gaps interpolate" in message
    assert "--tz" in message


def test_d1_interpolation_is_linear_and_reported(tmp_path: Path) -> None:
    lines = without(rows(hours(48)), 10, 11, 12)
    loaded, report = load(tmp_path, text(lines), gaps="interpolate")
    assert len(loaded) == 48
    np.testing.assert_allclose(loaded.target[9:14], 4000 + np.arange(9, 14) * 3.25)
    assert report.gaps is not None
    assert (report.gaps.count, report.gaps.longest) == (3, 3)
    assert "3 missing hours interpolated" in report.repairs
    assert any(line.startswith("gaps: 3 missing hours") for line in report.lines())


def test_d1_gap_longer_than_max_gap_is_fatal(tmp_path: Path) -> None:
    lines = without(rows(hours(48)), *range(10, 17))
    assert "longest gap 7 h" in fault(tmp_path, text(lines), gaps="interpolate")
    assert len(load(tmp_path, text(lines), gaps="interpolate", max_gap=7)[0]) == 48


def test_d1_before_days_are_invented_the_part_without_them_is_offered(tmp_path: Path) -> None:
    path = write(tmp_path, text(without(rows(hours(400)), *range(30, 160))))
    with pytest.raises(DataError) as caught:
        load_series(DataSource(path=path, cumulative=False))
    ways = [way.changes for way in caught.value.ways if "gaps" in way.changes]
    assert ways == [
        {"gaps": "interpolate", "start": "2014-01-08", "end": None},
        {"gaps": "interpolate"},
    ]
    series, report = load_series(DataSource(path=path, cumulative=False).change(**ways[0]))
    assert str(series.local[0]) == "2014-01-08 00:00:00" and report.gaps is None


def test_d1_a_missing_hour_next_to_an_empty_cell_is_one_run(tmp_path: Path) -> None:
    lines = without(rows(hours(48)), 10, 11)
    lines[10] = "2014-01-01 12:00,10,"
    message = fault(tmp_path, text(lines), gaps="interpolate", max_gap=2)
    assert "column 'Usage': 2014-01-01 10:00 to 2014-01-01 12:00" in message
    assert "found 3 hours without a value" in message


def test_d1_gaps_outside_the_period_do_not_matter(tmp_path: Path) -> None:
    lines = without(rows(hours(96)), 5)
    loaded, _ = load(tmp_path, text(lines), start="2014-01-02", end="2014-01-03")
    assert len(loaded) == 48


# D2: clock changes and offsets

AUTUMN = [
    *hours(3, "2014-10-26 00:00"),
    "2014-10-26 02:00",
    *hours(3, "2014-10-26 03:00"),
]


def test_d2_duplicate_hours_are_named(tmp_path: Path) -> None:
    message = fault(tmp_path, text(rows(AUTUMN)))
    assert "1 duplicates: 2014-10-26 02:00 (lines 4 and 5)" in message
    assert "--tz" in message


@pytest.mark.parametrize("newest_first", [False, True])
def test_d2_tz_explains_the_autumn_hour(tmp_path: Path, newest_first: bool) -> None:
    lines = rows(AUTUMN)
    loaded, report = load(
        tmp_path, text(lines[::-1] if newest_first else lines), tz="Europe/Berlin"
    )
    assert str(loaded.index.tz) == "UTC"
    assert loaded.index[0] == pd.Timestamp("2014-10-25 22:00", tz="UTC")
    assert list(loaded.local.hour) == [0, 1, 2, 2, 3, 4, 5]
    np.testing.assert_array_equal(loaded.target, 4000 + np.arange(7) * 3.25)
    assert report.duplicates == 1


def test_d2_half_hours_of_the_autumn_change_are_averaged_apart(tmp_path: Path) -> None:
    # Summer 02:00 and 02:30, then winter 02:00 and 02:30.
    times = [*hours(6, "2014-10-26 00:00", "30min"), *hours(6, "2014-10-26 02:00", "30min")]
    loaded, report = load(tmp_path, text(rows(times)), tz="Europe/Berlin", resample="mean")
    assert list(loaded.local.hour) == [0, 1, 2, 2, 3, 4]
    np.testing.assert_array_equal(loaded.target, 4000 + 3.25 * (2 * np.arange(6) + 0.5))
    assert report.duplicates == 2


def test_d2_an_autumn_hour_written_once_leaves_a_gap(tmp_path: Path) -> None:
    times = hours(6, "2014-10-26 00:00")
    message = fault(tmp_path, text(rows(times)), tz="Europe/Berlin")
    assert "1 missing hours (first 2014-10-26 02:00, last 2014-10-26 02:00" in message


def test_d2_tz_does_not_excuse_a_third_time(tmp_path: Path) -> None:
    times = [*AUTUMN[:4], "2014-10-26 02:00", *AUTUMN[4:]]
    assert "duplicates" in fault(tmp_path, text(rows(times)), tz="Europe/Berlin")


def test_d2_spring_gap_is_none_in_utc(tmp_path: Path) -> None:
    times = [*hours(2, "2014-03-30 00:00"), *hours(3, "2014-03-30 03:00")]
    assert "1 missing hours" in fault(tmp_path, text(rows(times)))
    loaded, report = load(tmp_path, text(rows(times)), tz="Europe/Berlin")
    assert report.gaps is None
    assert list(loaded.local.hour) == [0, 1, 3, 4, 5]


def test_d2_an_hour_that_the_clock_skips_is_fatal(tmp_path: Path) -> None:
    message = fault(tmp_path, text(rows(hours(5, "2014-03-30 00:00"))), tz="Europe/Berlin")
    assert "line 4" in message
    assert "does not exist in Europe/Berlin" in message


def test_d2_mixed_offsets_are_read_to_utc(tmp_path: Path) -> None:
    times = ["2014-10-26T01:00+02:00", "2014-10-26T02:00+02:00", "2014-10-26T02:00+01:00"]
    loaded, _ = load(tmp_path, text(rows(times)))
    assert list(loaded.index.hour) == [23, 0, 1]
    assert list(loaded.local.hour) == [1, 2, 2]
    shifted, _ = load(tmp_path, text(rows(times)), tz="UTC")
    assert list(shifted.local.hour) == [23, 0, 1]


def test_d2_offsets_in_some_rows_only_are_fatal(tmp_path: Path) -> None:
    times = ["2014-01-01 00:00Z", "2014-01-01 01:00", "2014-01-01 02:00Z"]
    message = fault(tmp_path, text(rows(times)))
    assert "in line 2" in message
    assert "in line 3" in message


def test_d2_a_gap_between_offsets_keeps_the_earlier_clock(tmp_path: Path) -> None:
    times = ["2014-10-26T01:00+02:00", "2014-10-26T02:00+02:00", "2014-10-26T03:00+01:00"]
    times += ["2014-10-26T04:00+01:00"]
    loaded, _ = load(tmp_path, text(rows(times)), gaps="interpolate")
    assert list(loaded.local.hour) == [1, 2, 3, 3, 4]


# D3: unsorted rows


def test_d3_unsorted_rows_are_sorted_and_said_so(tmp_path: Path) -> None:
    lines = rows(hours(48))
    mixed = [*lines[24:], *lines[:24]]
    loaded, report = load(tmp_path, text(mixed))
    assert loaded.fingerprint == load(tmp_path, text(lines))[0].fingerprint
    assert any("sorted" in repair and "line 26" in repair for repair in report.repairs)
    assert load(tmp_path, text(lines))[1].repairs == ()


# D4: empty, NaN and inf cells


@pytest.mark.parametrize("cell", ["", "NaN", " ", "NA", "null"])
def test_d4_empty_cells_are_counted_with_places(tmp_path: Path, cell: str) -> None:
    lines = rows(hours(48))
    lines[3] = f"2014-01-01 03:00,11.5,{cell}"
    lines[7] = f"2014-01-01 07:00,{cell},4022.75"
    message = fault(tmp_path, text(lines))
    assert "1 empty cells in column 'Usage' (line 5)" in message
    assert "1 empty cells in column 'Temperature' (line 9)" in message
    loaded, report = load(tmp_path, text(lines), gaps="interpolate")
    assert loaded.target[3] == 4000 + 3 * 3.25
    assert "1 empty cells of 'Usage' interpolated" in report.repairs


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_d4_inf_is_fatal(tmp_path: Path, cell: str) -> None:
    lines = rows(hours(48))
    lines[3] = f"2014-01-01 03:00,11.5,{cell}"
    message = fault(tmp_path, text(lines), gaps="interpolate")
    assert "1 infinite in line 5" in message


def test_d4_a_number_beyond_all_units_is_fatal(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines[3] = "2014-01-01 03:00,11.5,1e300"
    assert "line 5, column 'Usage'" in fault(tmp_path, text(lines))


@pytest.mark.parametrize("at", [0, 47])
def test_d4_an_empty_end_cannot_be_interpolated(tmp_path: Path, at: int) -> None:
    lines = rows(hours(48))
    lines[at] = f"{lines[at].split(',')[0]},,4000"
    message = fault(tmp_path, text(lines), gaps="interpolate")
    assert "expected values on both sides of a gap" in message


# D5: text in a number column


@pytest.mark.parametrize("cell", ["'off'", '"1,234"', "3.5 kW", "\uff11", "0x1F", "1_000", "3;5"])
def test_d5_text_in_a_number_column(tmp_path: Path, cell: str) -> None:
    lines = rows(hours(48))
    lines[3] = f"2014-01-01 03:00,11.5,{cell}"
    message = fault(tmp_path, text(lines))
    assert "line 5, column 'Usage'" in message
    assert cell.strip("'\"") in message


def test_d5_an_unquoted_thousands_separator_makes_a_long_row(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines[3] = "2014-01-01 03:00,11.5,4,009"
    message = fault(tmp_path, text(lines))
    assert "line 5: expected 3 fields as in the lines above, found 4" in message


def test_d5_a_long_first_row_does_not_shift_the_columns(tmp_path: Path) -> None:
    lines = [f"{line},7" for line in rows(hours(48))]
    assert "line 2: expected 3 fields" in fault(tmp_path, text(lines))


@pytest.mark.parametrize("further", [",,7", ",,,,7"])
def test_d5_cells_far_beyond_the_names_are_not_dropped(tmp_path: Path, further: str) -> None:
    lines = rows(hours(48))
    everywhere = fault(tmp_path, text([line + further for line in lines]))
    assert "line 2: expected 3 fields" in everywhere and "48 such rows" in everywhere
    assert "line 2: expected 3 fields" in fault(tmp_path, text([lines[0] + further, *lines[1:]]))


def test_further_separators_at_the_end_of_all_rows_are_no_cells(tmp_path: Path) -> None:
    (tmp_path / "ends.csv").write_text(text([f"{line},,," for line in rows(hours(48))]))
    assert len(load_series(DataSource(path=tmp_path / "ends.csv"))[0]) == 48


def test_d5_lines_are_counted_with_blank_ones(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines[3] = "2014-01-01 03:00,11.5,off"
    lines.insert(1, "")
    assert "line 6, column 'Usage'" in fault(tmp_path, text(lines))


# D6: encodings

KOREAN = text(rows(hours(48)), "일시,기온(°C),전력사용량")
KOREAN_NAMES = {"time": "일시", "target": "전력사용량", "features": ("기온(°C)",)}


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("cp949", "cp949"),
        ("utf-16", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_d6_encoding_is_found_and_reported(tmp_path: Path, codec: str, name: str) -> None:
    loaded, report = load(tmp_path, KOREAN.encode(codec), **KOREAN_NAMES)
    assert report.encoding == name
    assert loaded.target_name == "전력사용량"
    assert loaded.target[1] == 4003.25


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_d6_utf16_without_bom(tmp_path: Path, codec: str) -> None:
    assert load(tmp_path, text(rows(hours(48))).encode(codec))[1].encoding == "UTF-16"


def test_d6_no_known_encoding_is_fatal(tmp_path: Path) -> None:
    assert "UTF-8, UTF-16 or cp949" in fault(tmp_path, b"Date,Temperature,Usage\n\xff\xff\xff\n")
    assert "workbook" in fault(tmp_path, b"PK\x03\x04\x14\x00\x00\x00")


def test_d6_decomposed_names_are_the_same_names(tmp_path: Path) -> None:
    decomposed = KOREAN.replace("일시", "\u110b\u1175\u11af\u1109\u1175")
    assert len(load(tmp_path, decomposed, **KOREAN_NAMES)[0]) == 48


# D7: separators and column names


@pytest.mark.parametrize(
    ("separator", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")]
)
def test_d7_separators(tmp_path: Path, separator: str, name: str) -> None:
    content = text(rows(hours(48), separator), HEADER.replace(",", separator))
    assert load(tmp_path, content)[1].separator == name


def test_d7_the_columns_found_are_listed(tmp_path: Path) -> None:
    message = fault(tmp_path, text(rows(hours(48)), "when;x,degrees,kW"))
    assert "'when;x', 'degrees', 'kW'" in message
    assert "expected a column 'Date' and a column 'Temperature' and a column 'Usage'" in message
    assert "--time, --target and --features" in message


def test_d7_none_one_or_many_features(tmp_path: Path) -> None:
    lines = [f"{line},{i % 7}" for i, line in enumerate(rows(hours(48)))]
    content = text(lines, " when ,degrees,kW,wind")
    names = {"time": "when", "target": "kW", "unit": "kW"}
    none, _ = load(tmp_path, content, features=(), **names)
    assert none.covariates.shape == (48, 0)
    many, report = load(tmp_path, content, features=("wind", "degrees"), **names)
    assert many.covariates[8].tolist() == [1.0, 14.0]
    assert [r.name for r in report.ranges] == ["wind", "degrees", "kW"]


def test_d7_a_column_twice_is_fatal(tmp_path: Path) -> None:
    message = fault(tmp_path, text(rows(hours(48)), "Date,Usage,Usage"), features=())
    assert "expected one column 'Usage', found 2" in message


# D8: dates that can be read two ways


@pytest.mark.parametrize("written", ["2014-01-01 24:00", "2014-01-01 24"])
def test_d8_hour_24_is_fatal_or_read_by_date_format(tmp_path: Path, written: str) -> None:
    times = hours(26)
    times[24] = written
    message = fault(tmp_path, text(rows(times)))
    assert "line 26, column 'Date'" in message
    assert written in message
    assert "--date-format" in message
    times = [time if ":" in written else time[:13] for time in times]
    pattern = "%Y-%m-%d %H:%M" if ":" in written else "%Y-%m-%d %H"
    loaded, report = load(tmp_path, text(rows(times)), date_format=pattern)
    assert loaded.local[24] == pd.Timestamp("2014-01-02 00:00")
    assert any("hour 24" in repair for repair in report.repairs)


def test_d8_day_first_is_fatal_or_read_by_date_format(tmp_path: Path) -> None:
    times = [f"{time:%d/%m/%Y %H:%M}" for time in pd.date_range("2014-02-01", periods=48, freq="h")]
    message = fault(tmp_path, text(rows(times)))
    assert "line 2, column 'Date'" in message
    assert "'01/02/2014 00:00'; 48 such rows" in message
    assert "--date-format" in message
    loaded, _ = load(tmp_path, text(rows(times)), date_format="%d/%m/%Y %H:%M")
    assert loaded.local[0] == pd.Timestamp("2014-02-01")
    message = fault(tmp_path, text(rows(times)), date_format="%m/%d/%Y %H:%M")
    assert "720 missing hours" in message


def test_d8_a_row_that_does_not_fit_the_format_is_named(tmp_path: Path) -> None:
    times = [f"{time:%d/%m/%Y %H:%M}" for time in pd.date_range("2014-02-01", periods=48, freq="h")]
    times[30] = "2014-02-02 06:00"
    message = fault(tmp_path, text(rows(times)), date_format="%d/%m/%Y %H:%M")
    assert "line 32" in message
    assert "does not fit --date-format" in message


@pytest.mark.parametrize(
    "written", ["2014/01/01 5:00", "2014.1.1 05:00", "2014-01-01T05:00:00.000"]
)
def test_d8_year_first_is_never_ambiguous(tmp_path: Path, written: str) -> None:
    times = hours(10)
    times[5] = written
    assert load(tmp_path, text(rows(times)))[0].local[5] == pd.Timestamp("2014-01-01 05:00")


@pytest.mark.parametrize(
    "written", ["", "now", "2014-13-01 00:00", "5", "2014-01", "0014-01-01 00:00", "25:00"]
)
def test_d8_what_is_no_time_is_fatal(tmp_path: Path, written: str) -> None:
    times = hours(10)
    times[5] = written
    assert "line 7, column 'Date'" in fault(tmp_path, text(rows(times)))


def test_d8_offsets_in_a_date_format(tmp_path: Path) -> None:
    times = ["26/10/2014 02:00 +0200", "26/10/2014 02:00 +0100"]
    loaded, _ = load(tmp_path, text(rows(times)), date_format="%d/%m/%Y %H:%M %z")
    assert list(loaded.index.hour) == [0, 1]
    assert list(loaded.local.hour) == [2, 2]
    times[1] = "26/10/2014 02:00"
    message = fault(tmp_path, text(rows(times)), date_format="%d/%m/%Y %H:%M %z")
    assert "line 3" in message


# D9: too few rows


def test_d9_too_few_rows_needed_and_found() -> None:
    with pytest.raises(DataError, match=r"needed at least 468 hours.*found 400 hours"):
        check_length(400, Framing())
    check_length(468, Framing())
    with pytest.raises(DataError, match="--horizon 24"):
        split_origins(500, Framing(horizon=24))
    with pytest.raises(DataError, match="found 30 hours"):
        prepare(series(30), Framing())


# D10: constant columns


def test_d10_constant_column_is_warned_and_scaled_to_0(tmp_path: Path) -> None:
    lines = [f"{time},21.5,{4000 + i % 50}" for i, time in enumerate(hours(600))]
    loaded, report = load(tmp_path, text(lines))
    assert any("'Temperature' is constant at 21.5" in warning for warning in report.warnings)
    prepared = prepare(loaded, Framing())
    assert (prepared.train.x[:, :, 0] == 0).all()
    assert np.isfinite(prepared.train.x).all()


def test_d10_a_target_that_never_changes_is_told_to_be_nothing_to_forecast(
    tmp_path: Path,
) -> None:
    lines = [f"{time},{i % 24},5.0" for i, time in enumerate(hours(600))]
    _, report = load(tmp_path, text(lines))
    (said,) = [warning for warning in report.warnings if "is constant at 5" in warning]
    assert said.endswith("there is nothing to forecast; is it the right column?")


def test_d10_rounding_noise_is_a_constant_column() -> None:
    noise = np.array([[0.1 + 0.2], [0.3], [0.3]])
    scaled = Scaler.fit(noise, 0).transform(noise)
    np.testing.assert_allclose(scaled, 0.0, atol=1e-15)


# D11: values that look wrong


def odd(folder: Path, usage: np.ndarray) -> str:
    lines = [
        f"{time},{10 + i % 24},{value}"
        for i, (time, value) in enumerate(zip(hours(len(usage)), usage, strict=True))
    ]
    loaded, report = load(folder, text(lines))
    np.testing.assert_array_equal(loaded.target, usage)
    return " ".join(report.warnings)


def usual() -> np.ndarray:
    return 4000.0 + np.arange(200) % 24


def test_d11_negative_usage_is_warned(tmp_path: Path) -> None:
    usage = usual()
    usage[50:53] = -7.0
    warning = odd(tmp_path, usage)
    assert "'Usage' is negative in 3 hours" in warning
    assert "2014-01-03 02:00 to 2014-01-03 04:00 (lines 52 to 54)" in warning


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_d11_a_jump_of_1000_is_warned(tmp_path: Path, factor: float) -> None:
    usage = usual()
    usage[150:] *= factor
    warning = odd(tmp_path, usage)
    assert "jumps as if in another unit in 50 hours" in warning
    assert "(lines 152 to 201)" in warning


def test_d11_a_flat_line_is_warned(tmp_path: Path) -> None:
    usage = usual()
    usage[50:74] = 4321.0
    warning = odd(tmp_path, usage)
    assert "flat" in warning
    assert "in 24 hours" in warning
    assert "(lines 52 to 75)" in warning
    usage[73] = 4320.0
    assert odd(tmp_path, usage) == ""


def test_d11_usual_data_has_no_warning() -> None:
    assert load_series(DataSource())[1].warnings == ()


# D12: not hourly


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("30min", "half-hourly"),
        ("15min", "quarter-hourly"),
        ("10min", "10-minute"),
        ("7min", "7-minute"),
        ("D", "daily"),
        ("3h", "3-hourly"),
        ("MS", "monthly"),
    ],
)
def test_d12_the_frequency_is_named(tmp_path: Path, step: str, name: str) -> None:
    message = fault(tmp_path, text(rows(hours(40, step=step))))
    assert f"expected hourly rows, found {name} ones" in message


def test_d12_irregular_rows_are_named(tmp_path: Path) -> None:
    times = hours(48)
    times[20] = "2014-01-01 20:17"
    message = fault(tmp_path, text(rows(times)))
    assert "irregular" in message
    assert "line 22" in message


def test_d12_half_hours_are_averaged_when_asked(tmp_path: Path) -> None:
    lines = [f"{time},{i},{2 * i}" for i, time in enumerate(hours(97, step="30min"))]
    assert "--resample mean" in fault(tmp_path, text(lines))
    loaded, report = load(tmp_path, text(lines), resample="mean")
    assert len(loaded) == 48
    np.testing.assert_array_equal(loaded.target, 4 * np.arange(48) + 1.0)
    assert report.frequency == "half-hourly, averaged to hourly"
    assert "1 incomplete hours cut off at the ends" in report.repairs


def test_d12_an_hour_with_half_its_values_is_a_gap(tmp_path: Path) -> None:
    lines = [f"{time},{i},{2 * i}" for i, time in enumerate(hours(96, step="30min"))]
    message = fault(tmp_path, text(without(lines, 21)), resample="mean")
    assert "1 empty cells in column 'Usage' (line 22)" in message
    loaded, _ = load(tmp_path, text(without(lines, 21)), resample="mean", gaps="interpolate")
    assert loaded.target[10] == 41.0


def test_d12_hours_on_the_half_hour_are_hours(tmp_path: Path) -> None:
    content = text(rows(hours(48, "2014-01-01 00:30")))
    loaded, _ = load(tmp_path, content, stamp="begin")
    assert len(loaded) == 48 and loaded.local[0] == pd.Timestamp("2014-01-01 00:30")
    with pytest.raises(DataError, match="middle of its period"):
        load(tmp_path, content)


def test_d12_averaging_follows_the_local_hour(tmp_path: Path) -> None:
    lines = [f"{time},{i},{2 * i}" for i, time in enumerate(hours(96, step="30min"))]
    loaded, _ = load(tmp_path, text(lines), resample="mean", tz="Asia/Kolkata")
    assert loaded.index[0] == pd.Timestamp("2013-12-31 18:30", tz="UTC")
    assert loaded.local[0] == pd.Timestamp("2014-01-01 00:00")


# D13: files


def test_d13_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv: no such file.*--data"):
        load_series(DataSource(path=tmp_path / "nothing.csv"))


def test_d13_directory(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found a directory"):
        load_series(DataSource(path=tmp_path))


def test_d13_device() -> None:
    with pytest.raises(DataError, match="expected a regular file"):
        load_series(DataSource(path=Path("/dev/zero")))


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_d13_empty_file(tmp_path: Path, content: str) -> None:
    fault(tmp_path, content)


def test_d13_header_only_and_one_row(tmp_path: Path) -> None:
    assert "expected rows below the header" in fault(tmp_path, text([]))
    assert "expected rows below the header" in fault(tmp_path, text(["", ""]))
    assert "expected at least 2 rows, found 1" in fault(tmp_path, text(rows(hours(1))))


def test_d13_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, text(rows(hours(48))))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=r"load\.csv: cannot be read \(Permission denied\)"):
        load_series(DataSource(path=path))


def test_d13_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(2**30 + 1)
    with pytest.raises(DataError, match="expected at most 1073741824 bytes"):
        load_series(DataSource(path=path))


def test_d13_an_unclosed_quote(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines[3] = '2014-01-01 03:00,11.5,"4000'
    assert "line 5: expected a closing quote" in fault(tmp_path, text(lines))


MEMORY = """
import resource, sys
from pathlib import Path
from data_pipeline.framing import Framing
from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from data_pipeline.windows import prepare
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
series, _ = load_series(DataSource(path=Path(sys.argv[1])))
prepared = prepare(series, Framing())
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(series), len(prepared.train), (after - before) // 1024)
"""


def test_d13_a_million_rows_load_within_500_mb(tmp_path: Path) -> None:
    times = np.datetime_as_string(np.arange("1950-01-01T00", 1_000_000, dtype="datetime64[h]"))
    lines = [f"{time}:00,{i % 31},{4000 + i % 168}.25" for i, time in enumerate(times.tolist())]
    path = write(tmp_path, text(lines))
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
    )
    count, train, megabytes = map(int, done.stdout.split())
    assert (count, train) == (1_000_000, 719_879)
    assert megabytes < 500

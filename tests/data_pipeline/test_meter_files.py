"""Files as real exports write them are read to the right values; D14 to D20."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_pipeline.errors import DataError
from data_pipeline.load import load_last_hours, load_series
from data_pipeline.report import DataReport
from data_pipeline.rules import rules_of_before
from data_pipeline.series import HourlySeries
from data_pipeline.source import DataSource
from tests.data_pipeline.files import hours, rows, text, write
from tests.data_pipeline.meter_files import (
    FILES,
    HOURS,
    TEMPERATURE,
    USAGE,
    MeterFile,
    write_file,
)


def source_of(path: Path, **options: object) -> DataSource:
    return DataSource.model_validate({"path": path, "unit": "units", **options})


def check(series: HourlySeries, made: MeterFile) -> None:
    """The series is the truth, hour by hour."""
    expected = pd.DatetimeIndex(
        [pd.Timestamp(made.begin) + pd.Timedelta(hours=h) for h in made.hours]
    )
    begins = series.index if series.index.tz is not None else series.local
    assert list(begins) == list(expected)
    known = ~np.isin(np.array(made.hours), made.unknown)
    usage = USAGE[list(made.hours)]
    assert np.abs(series.target / made.factor - usage)[known].max() <= made.error
    if made.celsius is not None:
        degrees = TEMPERATURE[list(made.hours)] + made.celsius
        assert np.abs(series.covariates[:, 0] - degrees).max() <= 0.051


def read(name: str, folder: Path) -> tuple[HourlySeries, DataReport, MeterFile]:
    path, made = write_file(name, folder)
    series, report = load_series(source_of(path, **made.options))
    return series, report, made


@pytest.mark.parametrize("name", FILES)
def test_d14_d15_d16_d17_d18_d19_d20_a_meter_file_is_read_to_the_truth(
    tmp_path: Path, name: str
) -> None:
    series, report, made = read(name, tmp_path)
    check(series, made)
    lines = " ".join([*report.lines(), *report.why])
    for words in made.said:
        assert words in " ".join(lines.split()), lines


@pytest.mark.parametrize("name", FILES)
def test_d14_the_rules_that_were_decided_read_the_file_again(tmp_path: Path, name: str) -> None:
    path, made = write_file(name, tmp_path)
    series, report = load_series(source_of(path, **made.options))
    again, _ = load_series(source_of(path, **report.rules.model_dump(mode="json")))
    assert again.fingerprint == series.fingerprint


def refusal(path: Path, **options: object) -> DataError:
    with pytest.raises(DataError) as caught:
        load_series(source_of(path, **options))
    return caught.value


def changes(error: DataError) -> list[dict[str, object]]:
    return [dict(way.changes) for way in error.ways]


# D14: the shape of a table


def test_d14_a_ragged_row_is_explained(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines[3] = "2014-01-01 03:00,11,5,4009,25"
    message = str(refusal(write(tmp_path, text(lines))))
    assert "line 5: expected 3 fields" in message and "'2014-01-01 03:00,11,5,4009,25'" in message
    assert "decimal comma belong in quotes" in message


def test_d14_absent_names_are_answered_by_the_columns_that_fit(tmp_path: Path) -> None:
    path, _ = write_file("preamble", tmp_path)
    error = refusal(path)
    assert {"time": ("DATE",), "features": (), "target": "USAGE (kWh)"} in changes(error)


def test_d14_header_says_where_the_names_are(tmp_path: Path) -> None:
    twice = "Date,Usage\nnot,these\n" + text(rows(hours(48)))
    path = write(tmp_path, twice)
    assert len(load_series(source_of(path, header=3))[0]) == 48


def test_d14_blanks_separate_only_where_no_other_sign_does(tmp_path: Path) -> None:
    lines = [f"Electric usage,{time},{4 + i / 7:.2f}" for i, time in enumerate(hours(96))]
    above = "Name,A customer\nStreet,1 Main\nCity,A town\n\nTYPE,START TIME,USAGE (kWh)\n"
    error = refusal(write(tmp_path, above + "\n".join(lines)))
    assert {"time": ("START TIME",), "features": (), "target": "USAGE (kWh)"} in changes(error)


def test_d14_a_name_of_two_columns_is_answered_by_positions(tmp_path: Path) -> None:
    path = write(tmp_path, text(rows(hours(48)), "Date,kWh,kWh"))
    error = refusal(path, target="kWh", features=())
    assert changes(error) == [{"target": "2"}, {"target": "3"}]
    assert load_series(source_of(path, target="3", features=()))[0].target[0] == 4000.0


# D15: numbers


def test_d15_three_digits_everywhere_are_asked(tmp_path: Path) -> None:
    lines = [f"{time},{4 + i / 7:.3f}" for i, time in enumerate(hours(48))]
    path = write(tmp_path, text(lines, "Date,Usage"))
    error = refusal(path, features=())
    assert changes(error) == [{"decimal": "."}, {"decimal": ","}]
    point, _ = load_series(source_of(path, features=(), decimal="."))
    comma, _ = load_series(source_of(path, features=(), decimal=","))
    np.testing.assert_allclose(comma.target, point.target * 1000)


def test_d4_a_column_without_any_number_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, text([f"{time},,4.5" for time in hours(48)]))
    message = str(refusal(path, gaps="interpolate"))
    assert "'Temperature'" in message and "found none in the whole column" in message


def test_d15_another_column_tells_the_decimal_mark(tmp_path: Path) -> None:
    lines = [f"{time};3,6;{4 + i / 7:.3f}" for i, time in enumerate(hours(48))]
    path = write(tmp_path, text(lines, "Date;Temperature;Usage"))
    series, report = load_series(source_of(path, features=()))
    assert series.target[0] == 4000.0 and report.rules.decimal == ","


def test_d15_a_code_is_known_beside_numbers_with_thousands_apart(tmp_path: Path) -> None:
    lines = [f"{time};{1200 + i:,}.25" for i, time in enumerate(hours(48))]
    lines[9] = lines[9].split(";")[0] + ";-9999"
    path = write(tmp_path, text(lines, "Date;Usage"))
    error = refusal(path, features=())
    assert {"missing": ("-9999",)} in changes(error) and "line 11" in error.message
    told = {"features": (), "missing": ("-9999",), "gaps": "interpolate"}
    series, _ = load_series(source_of(path, **told))
    np.testing.assert_allclose(series.target, [1200.25 + i for i in range(48)])


def test_d15_two_habits_in_one_column_are_fatal(tmp_path: Path) -> None:
    lines = [f"{time};{'1,5' if i % 2 else '2.5'}" for i, time in enumerate(hours(48))]
    error = refusal(write(tmp_path, text(lines, "Date;Usage")), features=())
    assert "column 'Usage': expected a number" in error.message and not error.ways


def test_d15_a_code_is_noticed_in_any_column(tmp_path: Path) -> None:
    path, _ = write_file("minus_9999", tmp_path)
    error = refusal(path)
    assert "-9999 in column 'Temperature', 3 times" in error.message
    assert changes(error) == [{"missing": ("-9999",)}, {"missing": ()}]
    kept, report = load_series(source_of(path, missing=()))
    assert kept.covariates[100, 0] == -9999 and "kept as values" in report.warnings[0]


def test_d15_an_unknown_code_is_offered_as_missing(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines[3] = "2014-01-01 03:00,11.5,off"
    assert changes(refusal(write(tmp_path, text(lines)))) == [{"missing": ("off",)}]


@pytest.mark.parametrize("word", ["n/a!", "off", "kein Wert", "<0.01"])
def test_d15_a_word_in_place_of_a_number_is_not_taken_for_another_habit(
    tmp_path: Path, word: str
) -> None:
    lines = rows(hours(48))
    for at in range(10, 40):
        lines[at] = f"{lines[at].rsplit(',', 1)[0]},{word}"
    error = refusal(write(tmp_path, text(lines)))
    assert changes(error) == [{"missing": (word,)}] and "30 such cells" in error.message
    assert "say that it means no value" in error.message and "--decimal" not in error.message


def test_d15_a_column_of_words_is_no_column_of_numbers(tmp_path: Path) -> None:
    lines = [f"{time},{'high' if i % 2 else 'low'},1.5" for i, time in enumerate(hours(48))]
    error = refusal(write(tmp_path, text(lines)))
    assert "No cell of the column is a number" in error.message and not error.ways


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("3.5 kW", "'3.5 kW': 1 in kW (line 5) and 47 in kWh (lines 2, 3"),
        ("3.5", "'3.5': 47 in kWh (lines 2, 3, 4, 6, 7 and 42 more) and 1 without a unit (line 5)"),
    ],
)
def test_d15_units_that_do_not_fit_together_are_named(
    tmp_path: Path, other: str, said: str
) -> None:
    lines = [f"{time},{4 + i / 7:.2f} kWh" for i, time in enumerate(hours(48))]
    lines[3] = f"{lines[3][:16]},{other}"
    error = refusal(write(tmp_path, text(lines, "Date,Usage")), features=())
    assert "line 5, column 'Usage': expected numbers in one unit" in error.message
    assert said in error.message


def test_d15_units_that_change_from_row_to_row_are_warned_of(tmp_path: Path) -> None:
    lines = [f"{time},{4 + i % 7},{'kWh' if i % 9 else 'Wh'}" for i, time in enumerate(hours(48))]
    _, report = load_series(source_of(write(tmp_path, text(lines, "Date,Usage,Unit")), features=()))
    assert any("'Unit' holds the units Wh and kWh" in one for one in report.warnings)


def test_d15_zero_fits_beside_any_unit(tmp_path: Path) -> None:
    lines = [f"{time},{4 + i / 7:.2f} kWh" for i, time in enumerate(hours(48))]
    lines[3] = f"{lines[3][:16]},0"
    series, _ = load_series(source_of(write(tmp_path, text(lines, "Date,Usage")), features=()))
    assert series.target[3] == 0 and series.target[4] == round(4 + 4 / 7, 2)


# D16: times


def test_d16_day_and_month_are_one_decision_for_the_column(tmp_path: Path) -> None:
    times = [f"{time:%m/%d/%Y %H:%M}" for time in pd.date_range("2014-01-10", periods=96, freq="h")]
    series, report = load_series(source_of(write(tmp_path, text(rows(times)))))
    assert series.local[0] == pd.Timestamp("2014-01-10") and len(series) == 96
    assert report.rules.date_format == "%m/%d/%Y %H:%M"


# A few days, one alone, and days that may also be the first of each month.
@pytest.mark.parametrize(
    ("first", "count"), [("2014-02-01", 96), ("2014-02-01", 24), ("2014-01-01", 240)]
)
def test_d16_day_and_month_that_no_row_tells_are_asked(
    tmp_path: Path, first: str, count: int
) -> None:
    times = [f"{time:%d/%m/%Y %H:%M}" for time in pd.date_range(first, periods=count, freq="h")]
    error = refusal(write(tmp_path, text(rows(times))))
    assert changes(error) == [
        {"date_format": "%d/%m/%Y %H:%M"},
        {"date_format": "%m/%d/%Y %H:%M"},
    ]


@pytest.mark.parametrize(
    ("written", "first", "count"),
    [
        ("%d/%m/%Y %H:%M", "2014-02-03", 120),
        ("%m/%d/%Y %H:%M", "2014-02-03", 120),
        ("%d.%m.%y %H:%M", "2014-01-01", 8760),
        ("%y/%m/%d %H:%M", "2014-01-01", 8760),
    ],
)
def test_d16_the_order_in_which_days_follow_each_other_is_taken(
    tmp_path: Path, written: str, first: str, count: int
) -> None:
    times = pd.date_range(first, periods=count, freq="h")
    series, report = load_series(
        source_of(write(tmp_path, text(rows(list(times.strftime(written))))))
    )
    assert (series.local == times).all() and report.rules.date_format == written


def test_d16_a_long_gap_leaves_no_doubt_about_the_order(tmp_path: Path) -> None:
    times = pd.date_range("2014-01-01", periods=8760, freq="h")
    lines = rows(list(times.strftime("%d.%m.%y %H:%M")))
    path = write(tmp_path, text([*lines[:3000], *lines[3400:]]))
    assert "longest gap 400 h" in str(refusal(path, gaps="interpolate"))


def test_d16_a_column_named_by_its_end_holds_ends(tmp_path: Path) -> None:
    path = write(
        tmp_path, text(rows(hours(48, "2014-01-01 01:00")), "Hour Ending,Temperature,Usage")
    )
    series, report = load_series(source_of(path, time="Hour Ending"))
    assert series.local[0] == pd.Timestamp("2014-01-01") and report.rules.stamp == "end"


# D17: clocks


@pytest.mark.parametrize("name", ["hour_ending_over_autumn", "hour_ending_over_spring"])
def test_d17_a_clock_change_is_answered_by_zones_that_fit(tmp_path: Path, name: str) -> None:
    path, made = write_file(name, tmp_path)
    told = {key: value for key, value in made.options.items() if key not in ("tz", "stamp")}
    assert {"tz": "America/New_York", "stamp": "end"} in changes(refusal(path, **told))


def test_d17_marks_without_a_zone_are_answered_by_zones(tmp_path: Path) -> None:
    path, made = write_file("hours_2a_2b", tmp_path)
    error = refusal(path, **{**made.options, "tz": None})
    assert {"tz": "Europe/Berlin"} in changes(error)


def test_d17_equal_values_at_a_clock_change_are_not_a_repeat(tmp_path: Path) -> None:
    times = [*hours(3, "2014-10-26 00:00"), "2014-10-26 02:00", *hours(3, "2014-10-26 03:00")]
    lines = rows(times)
    lines[3] = lines[2]
    assert {"tz": "Europe/Berlin"} in changes(refusal(write(tmp_path, text(lines))))


def test_d17_what_the_file_says_of_its_stamps_is_not_asked(tmp_path: Path) -> None:
    times = [one for one in hours(48, "2014-03-29 00:00") if one != "2014-03-30 02:00"]
    plain = refusal(write(tmp_path, text(rows(times))))
    assert {"tz": "Europe/Berlin", "stamp": "end"} in changes(plain)
    named = refusal(write(tmp_path, text(rows(times), "Start,Temperature,Usage")), time="Start")
    assert {"tz": "Europe/Berlin"} in changes(named)
    assert not any("stamp" in one for one in changes(named))


def test_d17_letters_of_summer_time_are_answered_by_zones(tmp_path: Path) -> None:
    path, made = write_file("letters_of_summer_time", tmp_path)
    assert {"tz": "America/Chicago"} in changes(refusal(path, **{**made.options, "tz": None}))


# D18: amounts


def test_d18_means_of_energy_and_sums_of_power_are_refused_by_the_unit(tmp_path: Path) -> None:
    path, made = write_file("half_hours_of_kwh", tmp_path)
    told = {**made.options, "resample": "mean"}
    error = refusal(path, **told)
    assert "in kWh" in error.message and {"resample": "sum"} in changes(error)
    insisted, _ = load_series(source_of(path, **told | {"unit": "kW"}))
    assert abs(insisted.target[0] - USAGE[0] / 2) < 0.001
    assert changes(refusal(path, **made.options | {"resample": None})) == [{"resample": "sum"}]
    kw = write(tmp_path, path.read_text().replace("kWh", "kW"), "kw.csv")
    named = {**made.options, "target": "Consumption (kW)"}
    assert {"resample": "mean"} in changes(refusal(kw, **named))


def test_d18_a_register_is_recognised(tmp_path: Path) -> None:
    path, made = write_file("cumulative_register", tmp_path)
    error = refusal(path, **{**made.options, "cumulative": None})
    assert changes(error) == [
        {"cumulative": True, "stamp": "end"},
        {"cumulative": True, "stamp": "begin"},
        {"cumulative": False},
    ]
    check(load_series(source_of(path, **made.options | changes(error)[1]))[0], made)
    assert len(load_series(source_of(path, **made.options | {"cumulative": False}))[0]) == HOURS


def test_d18_a_lone_row_among_quarter_hours_is_no_hour(tmp_path: Path) -> None:
    times = pd.date_range("2014-01-01", periods=400, freq="15min")
    lines = [
        f"{time:%Y-%m-%d %H:%M},{i % 97}"
        for i, time in enumerate(times)
        if i not in (201, 202, 203)
    ]
    path = write(tmp_path, text(lines, "Date,Usage"))
    error = refusal(path, features=(), resample="sum")
    assert "1 empty cells" in error.message


# D19: layouts, meters, repeats


def test_d19_several_meters_are_listed(tmp_path: Path) -> None:
    path, _ = write_file("several_meters", tmp_path)
    error = refusal(path, features=())
    assert "'Meter' tells them apart: 'A', 'B'" in error.message
    assert changes(error) == [{"where": ("Meter=A",)}, {"where": ("Meter=B",)}]


def test_d19_registers_that_take_turns_are_offered_together(tmp_path: Path) -> None:
    path, made = write_file("registers_that_take_turns", tmp_path)
    error = refusal(path, **{**made.options, "where": ()})
    taken = ("Register=taken, night", "Register=taken, day")
    assert changes(error)[0] == {"where": taken}
    assert changes(refusal(path, **{**made.options, "resample": None})) == [{"resample": "sum"}]


def test_d19_days_without_their_hours_are_answered_by_the_column_that_holds_them(
    tmp_path: Path,
) -> None:
    lines = [f"{one.replace(' ', ',')},{4 + i / 7:.2f}" for i, one in enumerate(hours(96))]
    error = refusal(write(tmp_path, text(lines, "Date,From,Usage")), features=())
    assert changes(error) == [{"time": ("Date", "From")}]


def test_d19_days_without_their_half_hours_are_answered_by_their_numbers(tmp_path: Path) -> None:
    path, made = write_file("numbered_half_hours", tmp_path)
    error = refusal(path, **{**made.options, "time": "Date"})
    assert changes(error) == [{"time": ("Date", "Period")}]


def test_d19_differing_rows_of_one_time_are_shown(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines.insert(6, "2014-01-01 05:00,1,5000")
    path = write(tmp_path, text(lines))
    error = refusal(path)
    assert "(lines 7 and 8) with 4016.25 and 5000" in error.message
    assert {"duplicates": "first"} in changes(error)
    values = [
        load_series(source_of(path, duplicates=rule))[0].target[5]
        for rule in ("first", "last", "mean")
    ]
    assert values == [4016.25, 5000.0, 4508.125]


def test_d19_a_value_off_the_grid_is_refused_with_a_way_through(tmp_path: Path) -> None:
    lines = rows(hours(48))
    lines.insert(6, "2014-01-01 05:13,1,5000")
    path = write(tmp_path, text(lines))
    assert {"duplicates": "first"} in changes(refusal(path))
    series, _ = load_series(source_of(path, duplicates="first"))
    assert len(series) == 48 and series.target[5] == 4016.25


def test_d19_a_name_with_a_comma_is_a_name(tmp_path: Path) -> None:
    path = write(tmp_path, text(rows(hours(48)), 'Date,"Heat, outside",Usage'))
    assert len(load_series(source_of(path, features=("Heat, outside",)))[0]) == 48


# D20: encodings and containers


def test_d20_an_archive_of_two_files_is_refused_by_name(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "y")
    assert "'a.csv', 'b.csv'" in str(refusal(tmp_path / "two.zip"))


@pytest.mark.parametrize("suffix", [".csv.gz", ".xlsx", ".parquet"])
def test_d20_a_torn_container_is_fatal(tmp_path: Path, suffix: str) -> None:
    name = {".csv.gz": "gzipped", ".xlsx": "workbook", ".parquet": "parquet"}[suffix]
    path, made = write_file(name, tmp_path)
    path.write_bytes(made.content[: len(made.content) // 2])
    assert name in str(refusal(path))


def test_d20_encoding_is_taken_as_told(tmp_path: Path) -> None:
    content = text(rows(hours(48)), "Datum,Température,Spotřeba").encode("cp1250", "replace")
    path = write(tmp_path, content)
    told = {"time": "Datum", "target": "Spotřeba", "features": ()}
    assert load_series(source_of(path, encoding="cp1250", **told))[0].target_name == "Spotřeba"


# D21: what a forecast needs


def test_d21_old_gaps_and_coming_weather_do_not_stop_a_forecast(tmp_path: Path) -> None:
    path, _ = write_file("future_weather", tmp_path)
    lines = path.read_text().splitlines()
    lines[1] = lines[1].rsplit(",", 1)[0] + ","
    del lines[50:60]
    path.write_text("\n".join(lines) + "\n")
    assert "missing hours" in str(refusal(path))
    series, report = load_last_hours(source_of(path))
    assert len(series) == 456 - 59 and series.local[-1] == pd.Timestamp("2024-01-19 23:00")
    assert any("gaps in them" in line for line in report.repairs)
    np.testing.assert_allclose(series.target, USAGE[59:456], atol=0.0051)


# D22: rules of before


def test_d22_options_that_were_kept_before_there_were_rules_read_the_same(tmp_path: Path) -> None:
    lines = [f"{time},-9999,{4 + i / 7:.3f}" for i, time in enumerate(hours(300))]
    path = write(tmp_path, text(lines))
    before = {"path": str(path), "time": "Date", "target": "Usage", "features": ["Temperature"]}
    series, _ = load_series(DataSource.model_validate(rules_of_before(before)))
    assert series.target[0] == 4.0 and (series.covariates == -9999).all()

"""Meter files through the real command: `--dry-run` reads them, and what it prints can be typed."""

import shlex
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from data_pipeline.rules import option_words
from search import run
from search.common.errors import DONE, WRONG_INPUT
from tests.data_pipeline.meter_files import FILES, write_file
from tests.search.command import argv, environment

# Options without which a file is refused, and the option that an answer must hold.
ASKED = {
    "question_mark": ("gaps", "--gaps interpolate"),
    "minus_9999": ("missing", "--missing=-9999"),
    "several_meters": ("where", "--where Meter=A"),
    "wide_rows_of_two_kinds": ("where", "--where Kind=kWh"),
    "cumulative_register": ("cumulative", "--register"),
    "half_hours_of_kwh": ("resample", "--resample sum"),
    "hour_ending_over_autumn": ("tz", "--tz America/New_York"),
    "hour_ending_over_spring": ("stamp", "--stamp end"),
    "hours_2a_2b": ("tz", "--tz Europe/Berlin"),
    "decimal_comma": ("time", "--time Zeit"),
    "wide_hours_cp949": ("time", "--time"),
    "korean_columns": ("target", "--target"),
}


def invoke(*words: str) -> Result:
    return CliRunner().invoke(run.main, ["--experiment", "smoke", "--dry-run", *words])


@pytest.mark.parametrize("name", FILES)
def test_d22_dry_run_reads_a_meter_file_and_saves_it_as_read(tmp_path: Path, name: str) -> None:
    path, made = write_file(name, tmp_path)
    saved = tmp_path / "as-read.csv"
    done = invoke("--data", str(path), *option_words(made.options), "--save", str(saved))
    assert done.exit_code == DONE, done.stderr
    for words in ("data:", "ranges:", "series:", "reading rules: --time", "Next: "):
        assert words in done.stdout
    rows = pd.read_csv(saved)
    assert len(rows) == len(made.hours)
    first = pd.Timestamp(str(rows.iloc[0, 0]))
    begin = pd.Timestamp(made.begin) + pd.Timedelta(hours=made.hours[0])
    assert first == begin


@pytest.mark.parametrize("name", ASKED)
def test_d22_every_command_that_a_refusal_prints_reads_the_file(tmp_path: Path, name: str) -> None:
    left_out, expected = ASKED[name]
    path, made = write_file(name, tmp_path)
    told = {key: value for key, value in made.options.items() if key != left_out}
    refused = invoke("--data", str(path), *option_words(told))
    assert refused.exit_code == WRONG_INPUT and refused.stdout == ""
    commands = [line for line in refused.stderr.splitlines() if " -m search.run " in line]
    assert commands and any(expected in line for line in commands), refused.stderr
    for line in commands:
        words = shlex.split(line, comments=True)
        again = CliRunner().invoke(run.main, words[words.index("search.run") + 1 :])
        assert again.exit_code == DONE, (line, again.stderr)


def test_d22_dry_run_draws_the_series_with_its_repairs(tmp_path: Path) -> None:
    path, made = write_file("question_mark", tmp_path)
    drawn = tmp_path / "series.png"
    done = invoke("--data", str(path), *option_words(made.options), "--plot", str(drawn))
    assert done.exit_code == DONE and drawn.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "cp1252"])
def test_d28_a_console_of_one_country_gets_no_traceback(tmp_path: Path, encoding: str) -> None:
    path, made = write_file("korean_columns", tmp_path)
    words = argv("search.run", "--dry-run", "--data", str(path), *option_words(made.options))
    kept = environment() | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(words, cwd=tmp_path, env=kept, capture_output=True, check=False)
    assert done.returncode == DONE, done.stderr
    (series,) = [one for one in done.stdout.splitlines() if one.startswith(b"series:")]
    assert b"Next: " in done.stdout and len(set(series.decode("ascii"))) > 8


@pytest.mark.parametrize("option", ["--plot", "--save"])
def test_d22_outputs_of_the_dry_run_are_refused_without_it(tmp_path: Path, option: str) -> None:
    done = CliRunner().invoke(run.main, [option, str(tmp_path / "x.png")])
    assert done.exit_code == WRONG_INPUT and "--dry-run" in done.stderr


def test_d22_a_hint_names_no_option_that_cannot_help(tmp_path: Path) -> None:
    lines = ["Date,Usage"]
    # Of four days only, no order of day and month lets enough of them follow each other.
    times = pd.date_range("2014-02-01", periods=96, freq="h")
    lines += [f"{time:%d/%m/%Y %H:%M},{i % 50}.5" for i, time in enumerate(times)]
    (tmp_path / "days.csv").write_text("\n".join(lines) + "\n")
    done = invoke("--data", str(tmp_path / "days.csv"), "--features", "")
    commands = [line for line in done.stderr.splitlines() if " -m search.run " in line]
    assert len(commands) == 1 and "'%d/%m/%Y %H:%M'" in commands[0]
    assert "With --date-format '%m/%d/%Y %H:%M'" in done.stderr and "it is refused" in done.stderr


def test_d9_a_window_that_the_hours_suffice_for_is_in_the_command(tmp_path: Path) -> None:
    path, _ = write_file("future_weather", tmp_path)
    short = CliRunner().invoke(run.main, ["--dry-run", "--data", str(path)])
    assert short.exit_code == WRONG_INPUT and "too few rows" in short.stderr
    # The same where something else is asked first.
    asked = CliRunner().invoke(run.main, ["--dry-run", "--data", str(path), "--time", "Zeit"])
    for refused in (short, asked):
        (line,) = [one for one in refused.stderr.splitlines() if " -m search.run " in one]
        words = shlex.split(line.removeprefix("Next:"), comments=True)
        assert words[-2:] == ["--window", "144"]
        again = CliRunner().invoke(run.main, words[words.index("search.run") + 1 :])
        assert again.exit_code == DONE, again.stderr

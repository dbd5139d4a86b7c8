"""NEM12 files, read through the command as a person meets them, and by value."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from search import run
from search.common.errors import WRONG_INPUT

DAYS = 40
HALF_HOURS = np.round(1 + np.sin(np.arange(DAYS * 48) / 7) / 2, 3)


def _records(values: np.ndarray, register: str, minutes: int = 30) -> list[str]:
    count = 24 * 60 // minutes
    lines = [f"200,NEM1201009,E1B1,{register},{register},,123,kWh,{minutes},"]
    for day, date in enumerate(pd.date_range("2024-01-01", periods=DAYS)):
        own = values[day * count : (day + 1) * count]
        lines.append(f"300,{date:%Y%m%d},{','.join(map(str, own))},A,,,20240301000000,")
    return [*lines, "400,1,48,A,,"]


def _file(place: Path, *blocks: list[str]) -> Path:
    path = place / "meter.csv"
    lines = ["100,NEM12,202403010000,MDP,RET", *(line for block in blocks for line in block), "900"]
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    return path


def _run(path: Path, *options: str) -> tuple[int, str]:
    asked = ["--data", str(path), "--features", "", "--unit", "kWh", "--dry-run", *options]
    done = CliRunner().invoke(run.main, asked)
    return done.exit_code, done.stderr + done.stdout


def test_d14_nem12_is_read_to_its_values(tmp_path: Path) -> None:
    path, saved = _file(tmp_path, _records(HALF_HOURS, "E1")), tmp_path / "read.csv"
    code, said = _run(path)
    assert code == WRONG_INPUT and "--resample sum" in said
    code, said = _run(path, "--resample", "sum", "--save", str(saved))
    assert code == 0 and "NEM12: a row a day of 30 minutes each, in kWh" in said
    read = pd.read_csv(saved)
    assert len(read) == DAYS * 24
    np.testing.assert_allclose(read["Usage"], HALF_HOURS.reshape(-1, 2).sum(axis=1), atol=1e-9)


def test_d14_nem12_with_two_registers_asks_which(tmp_path: Path) -> None:
    path = _file(tmp_path, _records(HALF_HOURS, "E1"), _records(HALF_HOURS * 0.1, "B1"))
    code, said = _run(path, "--resample", "sum")
    assert code == WRONG_INPUT and "--where Register=E1" in said and "--where Register=B1" in said
    code, said = _run(path, "--resample", "sum", "--where", "Register=E1")
    assert code == 0 and f"{DAYS * 24} hours" in said


@pytest.mark.parametrize("minutes", [15, 60])
def test_d14_nem12_of_other_lengths_is_read(tmp_path: Path, minutes: int) -> None:
    values = HALF_HOURS[: DAYS * 24].repeat(60 // minutes) * minutes / 60
    options = () if minutes == 60 else ("--resample", "sum")
    code, said = _run(_file(tmp_path, _records(values, "E1", minutes)), *options)
    assert code == 0 and f"{DAYS * 24} hours" in said
    assert f"Usage {HALF_HOURS[: DAYS * 24].min():.4g}"[:9] in said


def test_d14_nem12_of_several_lengths_is_refused(tmp_path: Path) -> None:
    blocks = (_records(HALF_HOURS, "E1"), _records(HALF_HOURS[: DAYS * 24], "B1", 60))
    assert _run(_file(tmp_path, *blocks))[0] == WRONG_INPUT


def test_d29_null_data_of_nem12_are_gaps(tmp_path: Path) -> None:
    """Values 11 to 14 of the fourth day are null, in a record below it."""
    lines = _records(HALF_HOURS, "E1")
    day = lines[4].split(",")
    day[12:16], day[50] = ["0"] * 4, "V"
    lines[4:5] = [",".join(day), "400,1,10,A,,", "400,11,14,N,,", "400,15,48,A,,"]
    path, saved = _file(tmp_path, lines), tmp_path / "read.csv"
    code, said = _run(path, "--resample", "sum")
    assert code == WRONG_INPUT and "2 empty cells in column 'Usage'" in said
    code, said = _run(path, "--resample", "sum", "--gaps", "interpolate", "--save", str(saved))
    assert code == 0 and "4 values left out, which the file marks as null data (N)" in said
    read = pd.read_csv(saved)["Usage"].to_numpy()
    known = ~np.isin(np.arange(DAYS * 24), (3 * 24 + 5, 3 * 24 + 6))
    hours = HALF_HOURS.reshape(-1, 2).sum(axis=1)
    np.testing.assert_allclose(read[known], hours[known], atol=1e-9)
    assert read.min() > 0.5


def test_d18_the_unit_of_nem12_tells_how_to_combine(tmp_path: Path) -> None:
    code, said = _run(_file(tmp_path, _records(HALF_HOURS, "E1")))
    assert code == WRONG_INPUT and "--resample sum" in said and "--resample mean" not in said

"""The built-in series is the file that its provenance describes."""

import hashlib
import re

import pandas as pd

from data_pipeline.load import load_series
from data_pipeline.source import BUILTIN_PATH, DataSource


def test_the_file_is_the_one_described() -> None:
    provenance = (BUILTIN_PATH.parent / "PROVENANCE.md").read_text()
    described = re.search(r"sha256: `([0-9a-f]{64})`", provenance)
    assert described is not None
    assert hashlib.sha256(BUILTIN_PATH.read_bytes()).hexdigest() == described[1]


def test_the_series() -> None:
    whole, report = load_series(DataSource())
    assert (len(whole), whole.unit, whole.name) == (8760, "MW", "victoria_2014_hourly")
    assert (report.gaps, report.repairs, report.duplicates) == (None, (), 0)
    assert whole.index.tz is None
    assert whole.index.equals(whole.local)


def test_the_documented_three_months() -> None:
    quarter, _ = load_series(DataSource(start="2014-04-01", end="2014-06-30"))
    assert len(quarter) == 2184
    assert quarter.local[0] == pd.Timestamp("2014-04-01 00:00")
    assert quarter.local[-1] == pd.Timestamp("2014-06-30 23:00")
    # The same data gives the same fingerprint on every machine.
    assert quarter.fingerprint.startswith("784660d20b9aadb8")

"""The documented metric names are those that are logged."""

import re
from pathlib import Path

from models.metrics import METRICS
from search.results.summary import final_metrics, fit_metrics, fits
from tests.search.samples import facts, record, result

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


def test_every_logged_metric_is_documented_and_every_documented_one_is_logged() -> None:
    made = result()
    assert made.held_out.keys() == {metric.name for metric in METRICS} - {"skill"}
    ended = record(0, made)
    logged = final_metrics(ended, facts()).keys() | made.history.keys()
    logged |= fit_metrics(fits([ended], {})[0]).keys()

    text = PAGE.read_text(encoding="utf-8")
    tables = text[: text.index("## On the study's run")]
    rows = re.findall(r"^\| ([^|]+) \|", tables, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert documented == logged

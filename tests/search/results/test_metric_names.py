"""The documented metric names are those that are logged, and better in the way that is written."""

import dataclasses
import re
from pathlib import Path

import numpy as np

from models.metrics import METRICS, SKILL, scores
from search.results.summary import final_metrics, fit_metrics, fits
from tests.search.samples import facts, record, result

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


def _rows() -> list[tuple[set[str], str]]:
    """The names of each row of the tables of what is logged of a trial, and its last cell."""
    text = PAGE.read_text(encoding="utf-8")
    tables = text[: text.index("## On the study's run")]
    rows = [line.strip("| ").split(" | ") for line in tables.splitlines() if line.startswith("|")]
    return [(set(re.findall(r"`(\w+)`", row[0])), row[-1]) for row in rows]


def test_every_logged_metric_is_documented_and_every_documented_one_is_logged() -> None:
    actual = np.random.default_rng(0).normal(size=(30, 1))
    judged = scores(actual, 0.9 * actual + 1, 1.0).as_dict()
    assert judged.keys() == {metric.name for metric in METRICS}
    made = dataclasses.replace(result(), train=judged, held_out=judged)
    ended = record(0, made)
    logged = final_metrics(ended, facts()).keys() | made.history.keys()
    logged |= fit_metrics(fits([ended], {})[0]).keys()
    assert set().union(*(names for names, _ in _rows())) == logged


def test_the_page_says_of_every_metric_which_way_is_better() -> None:
    written = {name: better for names, better in _rows() for name in names}
    for metric in METRICS:
        assert written[f"train_{metric.name}"] == written[f"val_{metric.name}"] == metric.better
    assert written["val_skill"] == SKILL.better

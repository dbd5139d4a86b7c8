"""Headers and cells of metrics, the same in every table of scores."""

import math

from models.metrics import SKILL, Metric
from search.results.summary import amount


def head(metric: Metric, unit: str) -> str:
    """The metric's title, with the data's unit if it has one."""
    return f"{metric.title} {unit}" if metric.unit == "data" else metric.title


def cell(metric: Metric, value: object) -> str:
    """A value of the metric as text; a dash if it is not a finite number.

    Values in the data's unit are written by `amount`, the skill in per cent, other ratios with
    three decimals. A metric that may be on both sides of its best value has a sign.
    """
    if not isinstance(value, float) or not math.isfinite(value):
        return "-"
    if metric.unit == "data":
        return amount(value, "+" if metric.better == "0" else "")
    return f"{value:+.1%}" if metric is SKILL else f"{value:.3f}"


def width(metric: Metric, unit: str) -> int:
    """Characters of the metric's column in a table of plain text."""
    title = len(metric.title)
    if metric.unit == "data":
        return max(10, title + 2, len(unit) + 6)
    return 10 if metric is SKILL else title + 3  # a skill of -1068.8% keeps its distance

import pytest

from models.metrics import IN_TABLES, SKILL
from search.results.score_cells import cell, width


@pytest.mark.parametrize("value", [0.055, -0.993, -10.688, -106.88])
def test_a_skill_keeps_its_distance_from_the_column_before(value):
    assert len(cell(SKILL, value)) < width(SKILL, "MW")


def test_every_title_keeps_its_distance():
    assert all(len(metric.title) < width(metric, "MW") for metric in IN_TABLES)

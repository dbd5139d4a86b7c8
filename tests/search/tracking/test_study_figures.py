"""The figures of a study: those for which it has trials."""

import dataclasses

from experiments.tradeoff import DESIGNS
from search.results.summary import StudySummary
from search.tracking.study_figures import study_figures
from tests.search.samples import facts, record, result


def test_a_study_that_varies_one_setting_has_the_curves_among_its_figures() -> None:
    records = tuple(
        dataclasses.replace(
            record(at, result(0.01 + at / 1e4), design=design.name, seed=0),
            parameters=design.parameters,
            framing=design.framing,
        )
        for at, design in enumerate(DESIGNS)
    )
    known = dataclasses.replace(facts(), data={"rows": 2184}, contract={})
    drawn = study_figures(StudySummary(records, len(records)), known)
    assert "error_along_settings" in drawn and "waterfall" not in drawn
    panels = [axes for axes in drawn["error_along_settings"].axes if axes.get_xlabel()]
    assert len(panels) == 5
    few = study_figures(StudySummary(records[:2], 2), known)
    assert "error_along_settings" not in few

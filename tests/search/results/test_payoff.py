"""One sentence: whether an LSTM pays on a study's data."""

import dataclasses
import json
from typing import Literal

import numpy as np
import pytest

from search.report.translations import WORDS
from search.results.bootstrap import FEWEST_BLOCKS, Compared, compare
from search.results.combination import combine
from search.results.payoff import Payoff, Where, sentence
from search.results.sentences import end_lines
from search.results.summary import StudySummary, result_json
from search.tracking.descriptions import description
from tests.search.samples import facts, record, result

FOLDS, HOURS = 3, 24 * 8


def _payoff(scale: float, shared: float, where: Where = "retest", hours: int = HOURS) -> Payoff:
    """A network whose errors are `scale` times the baseline's, and partly the same."""
    generator = np.random.default_rng(3)
    floor = [generator.normal(size=(hours, 1)) for _ in range(FOLDS)]
    own = [
        scale * (shared * one + (1 - shared**2) ** 0.5 * generator.normal(size=one.shape))
        for one in floor
    ]
    beside = compare("ridge_by_hour", np.concatenate(own), np.concatenate(floor))
    made = Payoff(where=where, folds=FOLDS, attempts=9, network="trial_3", beside=beside)
    return made.with_blend(combine(("trial_3", "ridge_by_hour"), own, floor))


@pytest.mark.parametrize(
    ("scale", "shared", "begins", "ends"),
    [
        (0.8, 0.99, "An LSTM pays on these data: ", "a blend of both does not help measurably."),
        (1.0, 0.0, "Whether an LSTM pays on these data is open: ", "95 % interval -0.0"),
        (1.6, 0.99, "An LSTM does not pay on these data: ", "the safe choice is ridge_by_hour; a"),
    ],
)
def test_it_says_who_is_better_by_how_much_and_what_else_is(
    scale: float, shared: float, begins: str, ends: str
) -> None:
    found = _payoff(scale, shared)
    said = sentence(found, "MW")
    assert said.startswith(begins) and ends in said and said.endswith(".")
    beside = found.beside
    assert f"RMSE of {beside.challenger:.3g} MW with new seeds on 3 rolling origin(s)" in said
    assert f"against {beside.other:.3g} MW of the strongest baseline, ridge_by_hour" in said
    interval = f"{beside.difference:+.3g} MW, 95 % interval {beside.low:+.3g} to {beside.high:+.3g}"
    assert interval in said


@pytest.mark.parametrize("language", ("en", "ko"))
def test_a_blend_that_the_folds_cannot_tell_from_the_network_is_said_to_be_so(
    language: Literal["en", "ko"],
) -> None:
    found = _payoff(0.7, 0.6)
    assert found.blended is not None and found.blend_safer and not found.blend_pays
    said = sentence(found, "MW", WORDS[language])
    assert f"{found.weight:g} x " in said and f"{found.blended.challenger:.3g} MW" in said
    assert sentence(found, "MW").endswith(
        "MW, measurably better than ridge_by_hour but not than the network."
    )


def test_a_blend_that_is_better_than_both_is_said_to_pay() -> None:
    found = _payoff(1.0, 0.0)
    assert found.blended is not None and found.blend_pays
    said = sentence(found, "MW")
    blend = "what pays is a blend, 0.5 x the network + 0.5 x ridge_by_hour, with "
    assert blend + f"{found.blended.challenger:.3g} MW" in said
    assert "safe choice" not in said


def test_few_hours_are_said_to_be_few_and_their_blend_is_judged_by_the_interval() -> None:
    few = _payoff(1.0, 0.0, "search", hours=24 * 2)
    assert few.beside.blocks < FEWEST_BLOCKS and few.blend_pays
    said = sentence(few, "MW")
    assert "on the validation windows that chose it" in said
    assert "what pays is a blend" in said and "6 blocks of hours are few for an interval" in said
    assert not _payoff(1.0, 0.0, "retest", hours=24 * 2).blend_pays


def test_a_baseline_without_an_error_has_no_share() -> None:
    perfect = Compared("last_value", 2.0, 0.0, 2.0, 1.5, 2.5, 1.0, 20)
    found = Payoff(where="search", folds=1, attempts=1, network="trial 0", beside=perfect)
    assert "(- higher; difference +2 MW" in sentence(found, "MW")


def test_it_is_kept_as_plain_values_and_stands_in_summary_page_and_json() -> None:
    found = _payoff(1.6, 0.99)
    plain = json.loads(json.dumps(found.model_dump(mode="json"), allow_nan=False))
    assert Payoff.model_validate(plain) == found
    told = dataclasses.replace(facts(), payoff=plain)
    summary = StudySummary((record(0, result(0.02)),), 1)
    said = sentence(found, "MW")
    assert said in end_lines(summary, told, "look", "promote")
    assert f"**{said}**" in description(summary, told)
    assert result_json(summary, told, "done")["payoff"] == plain
    assert "LSTM" not in "\n".join(end_lines(summary, facts(), "look", "promote"))


def test_the_report_says_it_in_korean() -> None:
    said = sentence(_payoff(1.6, 0.99), "MW", WORDS["ko"])
    assert said.startswith("이 데이터에서는 LSTM이 더 낫지 않습니다. ")
    assert "95 % 구간" in said and "{" not in said

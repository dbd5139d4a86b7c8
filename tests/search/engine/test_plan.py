"""What is found out and said before anything is trained."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from data_pipeline.source import DataSource
from experiments.catalogue import CATALOGUE
from search.common.errors import Refused, WrongInput
from search.common.resume_check import hold
from search.engine.plan import Plan, adapt, add_holidays, make_plan, plan_lines
from tests.data_pipeline.files import hours, text, write


def test_a_column_that_is_constant_only_in_training_is_warned_of(tmp_path: Path) -> None:
    times = hours(24 * 40)
    lines = [
        f"{time},{5 if i < 760 else 30},{100 + 10 * np.sin(i / 4):.4f}"
        for i, time in enumerate(times)
    ]
    path = write(tmp_path, text(lines, "Date,Heating,Usage"))
    source = DataSource(path=path, features=("Heating",), unit="kW")
    plan = make_plan(adapt(CATALOGUE["smoke"], {"source": source.model_dump()}))
    assert len(plan.warnings) == 1 and "'Heating' has one value, 5, in all" in plan.warnings[0]
    assert any("'Heating'" in line for line in plan_lines(plan, "s", 1, ()))


def test_the_built_in_data_give_no_warning() -> None:
    assert make_plan(CATALOGUE["power_usage"]).warnings == []


def test_the_contract_holds_the_moving_average_and_does_not_name_one_that_is_off() -> None:
    averaged = make_plan(CATALOGUE["smoke"]).contract
    assert averaged["ema_epochs"] == 1.0
    # Studies of before there was one go on.
    plain = make_plan(CATALOGUE["documents"]).contract
    assert "ema_epochs" not in str(plain)


def test_a_study_goes_on_only_with_what_it_knew_ahead() -> None:
    plain = make_plan(CATALOGUE["smoke"])
    assert not {"known_ahead", "holidays"} & set(plain.contract)
    told = {"source.known_ahead": ("Temperature",), "source.holidays": "AU-VIC"}
    plan = make_plan(adapt(CATALOGUE["smoke"], told))
    kept = json.loads(json.dumps(plan.contract))
    assert (kept["known_ahead"], kept["holidays"]) == (["Temperature"], "AU-VIC")
    hold("s", kept, plan.contract)
    lines = plan_lines(plan, "s", 1, ())
    assert "Temperature is known ahead: read 1 hour(s) ahead" in lines
    assert any(line.startswith("holiday is known ahead") for line in lines)
    with pytest.raises(Refused, match=r'known_ahead: was nothing, is \["Temperature"\]'):
        hold("s", plain.contract, kept)
    other = make_plan(adapt(CATALOGUE["smoke"], told | {"source.holidays": "AU-NSW"}))
    with pytest.raises(Refused, match='holidays: was "AU-VIC", is "AU-NSW"'):
        hold("s", kept, other.contract)


@pytest.mark.parametrize("country", [None, "AU-VIC"])
@pytest.mark.parametrize("horizon", [1, 24])
def test_a_day_ahead_public_holidays_are_offered_if_nobody_knows_them(
    horizon: int, country: str | None
) -> None:
    changes = {"framing.horizon": horizon, "source.holidays": country}
    lines = plan_lines(make_plan(adapt(CATALOGUE["smoke"], changes)), "s", 1, ())
    offer = "No forecaster knows public holidays; --holidays AU-VIC adds them"
    assert (offer in lines) is (horizon == 24 and country is None)


def test_the_built_in_data_have_their_holidays_in_a_search_that_reaches_a_day_ahead() -> None:
    smoke, documents = CATALOGUE["smoke"], CATALOGUE["documents"]
    ahead: dict[str, object] = {"framing.horizon": 24}
    own: dict[str, object] = {"source.path": Path("meter.csv")}
    assert add_holidays(adapt(smoke, ahead)).source.holidays == "AU-VIC"
    for left in (smoke, adapt(smoke, {"framing.horizon": 23}), adapt(smoke, ahead | own)):
        assert add_holidays(left) == left
    # The notes' networks read the notes' columns.
    assert add_holidays(adapt(documents, ahead)).source.holidays is None


def test_a_wrong_feature_name_is_told_by_its_option() -> None:
    with pytest.raises(WrongInput, match=r"^--features"):
        adapt(CATALOGUE["smoke"], {"source.features": ("a" * 5000, 3)})


def _minutes(plan: Plan) -> int:
    (line,) = [line for line in plan_lines(plan, "s", 1, ()) if line.startswith("Estimated")]
    return int(re.findall(r"at most (\d+) minutes", line)[0])


def test_the_estimate_knows_how_long_a_design_trains_and_on_how_much() -> None:
    tradeoff = CATALOGUE["tradeoff"]
    whole = make_plan(tradeoff)
    every = dataclasses.replace(whole, experiment=tradeoff.model_copy(update={"own_epochs": False}))
    assert _minutes(whole) < _minutes(every)
    week = tradeoff.framing.model_copy(update={"train_weeks": 1})
    few = tuple(one.model_copy(update={"framing": week}) for one in tradeoff.designs)
    shorter = dataclasses.replace(whole, experiment=tradeoff.model_copy(update={"designs": few}))
    assert _minutes(whole) > 2 * _minutes(shorter)

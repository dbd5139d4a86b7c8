"""The one entrance to a study: what is kept at its opening is read back, and who may open it."""

import dataclasses
import json
from pathlib import Path

import pytest

from experiments.catalogue import CATALOGUE
from search.benchmark.scratch_study import private_study
from search.common.errors import Refused
from search.common.stores import Stores
from search.engine.facts import facts_of_kept
from search.engine.opening import Session, hold_study, open_study, reopen_study
from search.engine.plan import Plan, adapt, add_holidays, make_plan
from search.engine.session import as_begun, foresee
from search.tuning.kept_studies import read_study
from search.tuning.storage import open_existing

STUDY = "benchmark"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(CATALOGUE["smoke"])


@pytest.fixture(scope="module")
def session(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A new study, which none of these tests changes."""
    return private_study(plan, tmp_path_factory.mktemp("session") / "stores", "random")


def _changed(plan: Plan) -> Plan:
    return dataclasses.replace(plan, experiment=adapt(plan.experiment, {"seed": 5}))


def test_the_facts_that_are_kept_with_a_study_are_those_that_are_read_back(
    plan: Plan, session: Session
) -> None:
    stores = session.stores
    kept = read_study(open_existing(stores.storage, stores.schema_lock), STUDY)
    found = facts_of_kept(kept, plan.experiment)
    plain = json.loads(json.dumps(dataclasses.asdict(session.facts)))
    assert json.loads(json.dumps(dataclasses.asdict(found))) == plain
    assert found.baselines == session.facts.baselines and found.identity


def test_a_study_opened_again_to_bring_it_in_order_has_the_same_facts_and_no_new_trial(
    session: Session,
) -> None:
    stores = session.stores
    storage = open_existing(stores.storage, stores.schema_lock)
    waiting = session.study.waiting
    again = reopen_study(read_study(storage, STUDY), storage, stores)
    assert again.facts.identity == session.facts.identity and again.orphans == ()
    assert again.study.waiting == waiting == 1  # the fixed design


def test_another_contract_is_foreseen_as_it_is_refused(plan: Plan, session: Session) -> None:
    stores, other = session.stores, _changed(plan)
    foresee(plan, STUDY, stores)
    foresee(other, "another", stores)
    with pytest.raises(Refused, match="seed: was 0, is 5"):
        foresee(other, STUDY, stores)
    with hold_study(STUDY, stores) as storage, pytest.raises(Refused, match="seed: was 0, is 5"):
        open_study(other, STUDY, storage, stores)


def test_a_study_a_day_ahead_from_before_the_holidays_goes_on_without_them(tmp_path: Path) -> None:
    ahead = adapt(CATALOGUE["smoke"], {"framing.horizon": 24})
    before, now = make_plan(ahead), make_plan(add_holidays(ahead))
    assert now.contract["holidays"] == "AU-VIC" and "holidays" not in before.contract
    old = private_study(before, tmp_path / "old", "random").stores
    assert as_begun(now, STUDY, old).contract == before.contract
    new = private_study(now, tmp_path / "new", "random").stores
    nowhere = Stores(f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db", None, tmp_path)
    for name, stores in ((STUDY, new), ("another", old), (STUDY, nowhere)):
        assert as_begun(now, name, stores) is now


def test_foreseeing_makes_no_database(plan: Plan, tmp_path: Path) -> None:
    stores = Stores(f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db", None, tmp_path)
    foresee(plan, STUDY, stores)
    assert list(tmp_path.iterdir()) == []


def test_a_study_is_held_by_one_process_alone(session: Session) -> None:
    with (
        hold_study(STUDY, session.stores),
        pytest.raises(Refused, match="is being run by process"),
        hold_study(STUDY, session.stores),
    ):
        pass

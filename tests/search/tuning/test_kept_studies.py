"""Studies of earlier versions are read in the space and with the designs they were begun with."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial

from experiments.catalogue import CATALOGUE
from experiments.documents import EXPERIMENT as DOCUMENTS
from experiments.experiment import Experiment
from search.common.errors import Refused
from search.common.resume_check import hold
from search.engine.plan import make_plan
from search.tuning.kept_studies import KeptStudy, openings_of, read_study
from search.tuning.storage import in_memory, open_storage
from tests.search.samples import record

NEW = {"target", "inputs", "lookback", "schedule"}


def _names(experiment: Experiment) -> set[str]:
    return {one.name for one in experiment.space.dimensions}


def _earlier() -> dict[str, Any]:
    """The contract of `power_usage` as the version before the new settings wrote it."""
    return make_plan(DOCUMENTS).contract | {"experiment": "power_usage", "epochs": 30, "seed": 7}


def test_the_experiment_of_an_earlier_study_has_its_space_and_its_designs() -> None:
    kept = KeptStudy("old", "id", _earlier(), {}, (record(0),))
    experiment = kept.experiment()
    assert experiment.space == DOCUMENTS.space and experiment.designs == DOCUMENTS.designs
    assert (experiment.epochs, experiment.seed) == (30, 7)
    assert _names(CATALOGUE["power_usage"]) >= NEW


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_study_of_this_version_is_read_as_the_catalogue_has_it(name: str) -> None:
    experiment = CATALOGUE[name]
    contract = make_plan(CATALOGUE[name]).contract
    assert KeptStudy("new", "id", contract, {}, ()).experiment() == experiment


def test_claims_about_designs_that_an_earlier_study_lacks_are_left_out() -> None:
    contract = make_plan(CATALOGUE["claims"]).contract
    designs = contract["designs"]
    assert isinstance(designs, dict)
    few = {name: designs[name] for name in ("main", "main2", "main2_128_64")}
    experiment = KeptStudy("old", "id", contract | {"designs": few}, {}, ()).experiment()
    assert [one.name for one in experiment.designs] == list(few)
    for claim in experiment.claims:
        assert {one.treatment for one in claim.comparisons} <= few.keys()


def test_an_earlier_search_is_not_continued_in_another_space() -> None:
    now = make_plan(CATALOGUE["power_usage"]).contract
    with pytest.raises(Refused, match=r"space\.target: was nothing[\s\S]*begin a new study"):
        hold("power_usage", _earlier(), now)


def test_the_contract_of_the_documents_does_not_name_settings_they_do_not_have() -> None:
    contract = str(make_plan(DOCUMENTS).contract)
    assert not any(f"'{name}'" in contract for name in NEW)


def test_a_study_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="there is no study 'nothing'"):
        read_study(in_memory(), "nothing")


@pytest.mark.parametrize("on_disk", [False, True])
def test_the_trials_of_other_studies_are_not_read(
    on_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = f"sqlite:///{tmp_path}/optuna.db"
    storage = open_storage(at, tmp_path / "lock") if on_disk else in_memory()
    contract = make_plan(CATALOGUE["smoke"]).contract | {"experiment": "smoke"}
    for name in ("asked for", "another"):
        study = optuna.create_study(storage=storage, study_name=name)
        study.set_user_attr("contract", contract)
        study.set_user_attr("openings", [{"data": "d", "time": name}])
    read: list[int] = []
    # What Optuna reads trials with: of a database, from behind its cache.
    method = "_get_trials" if on_disk else "get_all_trials"
    reading = getattr(storage, method)

    def noted(study_id: int, *wish: Any, **named: Any) -> list[FrozenTrial]:
        read.append(study_id)
        found: list[FrozenTrial] = reading(study_id, *wish, **named)
        return found

    monkeypatch.setattr(storage, method, noted)
    assert read_study(storage, "asked for").name == "asked for"
    assert [one["time"] for one in openings_of(storage, "d")] == ["another", "asked for"]
    assert set(read) == {storage.get_study_id_from_name("asked for")}

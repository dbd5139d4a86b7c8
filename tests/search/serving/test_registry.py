"""Versions, aliases, history and rollback in a real MLflow store."""

import dataclasses
import shutil
import threading
from pathlib import Path

import pytest

from search.common.errors import Refused, WrongInput
from search.common.stores import Stores
from search.serving.registry import Event, Registry, in_service, the_model
from tests.search.mlflow_stores import empty_store


class Shelf:
    """A store with a run to register models from."""

    def __init__(self, root: Path) -> None:
        from mlflow.tracking import MlflowClient

        uri = empty_store(root)
        self.stores = Stores(f"sqlite:///{root}/optuna.db", uri, root / "artifacts", root)
        self.client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment = self.client.create_experiment("e", (root / "artifacts").as_uri())
        self._experiment, self._root, self._count = experiment, root, 0

    def registry(self, name: str = "meter") -> Registry:
        return Registry(self.stores, name)

    def add(self, registry: Registry, promoted: bool = True) -> str:
        """Register one more version, and put it in service."""
        self._count += 1
        place = self._root / f"made-{self._count}" / "model"
        place.mkdir(parents=True)
        (place / "MLmodel").write_text("flavors: {}")
        (place / "network").write_text(f"weights {self._count}")
        run = self.client.create_run(self._experiment)
        version = registry.add(run.info.run_id, place, "a card", {"unit": "kW"})
        if promoted:
            details = {"study": "s", "rmse": 1.5, "unit": "kW"}
            registry.put_in_service(version, registry.champion(), details)
        return version

    def aliases(self, name: str = "meter") -> dict[str, str]:
        found = self.client.get_registered_model(name).aliases
        return {alias: str(version) for alias, version in found.items()}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_promotion_moves_the_alias_and_remembers_the_former(shelf: Shelf) -> None:
    registry = shelf.registry()
    assert registry.champion() is None and registry.history() == []
    assert shelf.add(registry) == "1"
    assert shelf.aliases() == {"champion": "1"}
    shelf.add(registry)
    assert shelf.aliases() == {"champion": "2", "previous": "1"}
    version = shelf.client.get_model_version("meter", "2")
    assert version.description == "a card" and version.tags["unit"] == "kW"
    events = registry.history()
    assert [(e.number, e.action, e.version) for e in events] == [
        (1, "promoted", "1"),
        (2, "promoted", "2"),
    ]
    assert events[0].details["rmse"] == 1.5 and events[0].by


def test_p4_rollbacks_go_back_one_by_one_and_end_with_a_clear_error(shelf: Shelf) -> None:
    registry = shelf.registry()
    for _ in range(3):
        shelf.add(registry)
    assert registry.roll_back() == "2"
    assert shelf.aliases() == {"champion": "2", "previous": "1"}
    assert registry.roll_back() == "1"
    assert shelf.aliases() == {"champion": "1"}
    with pytest.raises(Refused, match="no version to go back to; in service: 1"):
        registry.roll_back()
    shelf.add(registry)
    assert shelf.aliases() == {"champion": "4", "previous": "1"}
    assert registry.roll_back() == "1"
    actions = [event.action for event in registry.history()]
    assert actions == [*["promoted"] * 3, "rolled back", "rolled back", "promoted", "rolled back"]


def test_p4_without_history_there_is_nothing_to_roll_back(shelf: Shelf) -> None:
    with pytest.raises(Refused, match="in service: none"):
        shelf.registry().roll_back()


def test_p4_a_deleted_version_is_named_and_nothing_moves(shelf: Shelf) -> None:
    registry = shelf.registry()
    shelf.add(registry)
    shelf.add(registry)
    shelf.client.delete_model_version("meter", "1")
    with pytest.raises(Refused, match="version 1 of model 'meter' is not in the registry"):
        registry.roll_back()
    assert shelf.aliases()["champion"] == "2"


@pytest.mark.parametrize("spoil", ["missing", "truncated", "replaced", "added", "loader"])
def test_p1_an_artifact_that_changed_is_refused_before_an_alias_moves(
    shelf: Shelf, spoil: str, tmp_path: Path
) -> None:
    registry = shelf.registry()
    shelf.add(registry)
    shelf.add(registry)
    (kept,) = [
        path
        for path in (tmp_path / "artifacts").rglob("network")
        if path.read_text() == "weights 1"
    ]
    if spoil == "missing":
        kept.unlink()
    elif spoil == "truncated":
        kept.write_text("wei")
    elif spoil == "loader":
        kept.with_name("MLmodel").write_text("flavors: {python_function: {loader_module: evil}}")
    elif spoil == "replaced":
        kept.write_text("weights 9")
    else:
        kept.with_name("python_model.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(Refused, match="is not what was registered"):
        registry.roll_back()
    assert shelf.aliases() == {"champion": "2", "previous": "1"}
    assert len(registry.history()) == 2


def test_p1_a_folder_that_is_gone_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    registry = shelf.registry()
    shelf.add(registry)
    shelf.add(registry)
    for path in list((tmp_path / "artifacts").rglob("network")):
        if path.read_text() == "weights 1":
            shutil.rmtree(path.parent)
    with pytest.raises(Refused):
        registry.roll_back()
    assert shelf.aliases()["champion"] == "2"


def test_an_end_between_event_and_alias_is_mended(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = shelf.registry()
    shelf.add(registry)

    def ends_here(*_: object) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "_point", ends_here)
        with pytest.raises(RuntimeError):
            shelf.add(registry)
    assert shelf.aliases() == {"champion": "1"}
    again = shelf.registry()
    (said,) = again.mend()
    assert "stood at 1, and by its history version 2 is in service" in said
    assert again.mend() == []
    assert shelf.aliases() == {"champion": "2", "previous": "1"}


def test_p2_who_compared_with_another_champion_is_refused(shelf: Shelf) -> None:
    registry = shelf.registry()
    shelf.add(registry)
    version = shelf.add(registry, promoted=False)
    with pytest.raises(Refused, match="version 1 of model 'meter' became champion meanwhile"):
        registry.put_in_service(version, None, {})
    assert shelf.aliases() == {"champion": "1"} and len(registry.history()) == 1


def test_a_store_that_is_away_is_a_refusal(shelf: Shelf) -> None:
    away = dataclasses.replace(shelf.stores, tracking="http://127.0.0.1:9")
    for ask in (Registry(away, "meter").champion, Registry(away, "meter").history):
        with pytest.raises(Refused, match="the MLflow store cannot be used"):
            ask()
    with pytest.raises(Refused, match="the MLflow store cannot be used"):
        the_model(away)


def test_p2_promotions_at_once_leave_a_whole_history(shelf: Shelf) -> None:
    shelf.add(shelf.registry())

    def promote() -> None:
        registry = shelf.registry()
        with registry.held():
            shelf.add(registry)

    threads = [threading.Thread(target=promote) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = shelf.registry().history()
    assert [event.number for event in events] == [1, 2, 3, 4, 5]
    assert len({event.version for event in events}) == 5
    assert shelf.aliases()["champion"] == events[-1].version
    assert shelf.aliases()["previous"] == events[-2].version


def test_the_one_model_in_service_needs_no_name(shelf: Shelf) -> None:
    with pytest.raises(Refused, match="no model is in service"):
        the_model(shelf.stores)
    shelf.add(shelf.registry("meter"))
    shelf.add(shelf.registry("idle"), promoted=False)
    assert the_model(shelf.stores) == "meter"
    shelf.add(shelf.registry("other"))
    with pytest.raises(WrongInput, match="meter, other"):
        the_model(shelf.stores)


def test_what_a_rollback_goes_through_follows_from_the_events() -> None:
    def event(action: str, version: str) -> Event:
        return Event(1, "", action, version, "", {})

    up, down = "promoted", "rolled back"
    events = [event(up, "1"), event(up, "2"), event(down, "1"), event(up, "3")]
    assert in_service(events) == ["1", "3"]
    assert in_service([event(down, "1")]) == []

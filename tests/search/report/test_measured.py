"""Studies still open: those behind docs/results.md, and those that an earlier version made."""

import lzma
from pathlib import Path

import pytest

from models.regime import Regime
from search.common.records import State
from search.report.facts import facts
from search.tuning.kept_studies import KeptStudy, read_study
from search.tuning.storage import open_existing

EARLIER = Path(__file__).with_name("earlier_studies.db.xz")
MEASURED = Path(__file__).resolve().parents[3] / "docs" / "measured" / "studies.db.xz"
STUDIES = ("claims", "slips", "documents", "tradeoff", "power_usage")
AGAIN = ("open_claims", "open_claim_c4")


def _opened(file: Path, place: Path, names: tuple[str, ...] = STUDIES) -> dict[str, KeptStudy]:
    (place / "studies.db").write_bytes(lzma.decompress(file.read_bytes()))
    storage = open_existing(f"sqlite:///{place}/studies.db", place / "schema.lock")
    return {name: read_study(storage, name) for name in names}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeptStudy]:
    return _opened(EARLIER, tmp_path_factory.mktemp("earlier"))


def test_the_measured_studies_have_both_arms_and_the_way_from_main2(tmp_path: Path) -> None:
    found = facts(list(_opened(MEASURED, tmp_path, STUDIES + AGAIN).values()))
    proven = {curve.axis: (curve.overfit, curve.underfit) for curve in found.tradeoff}
    assert all(overfit is not None for overfit, _ in proven.values()) and len(proven) == 5
    assert {axis for axis, (_, underfit) in proven.items() if underfit is not None} == {
        "dropout",
        "epochs",
    }
    assert {row.regime for row in found.trials if row.study == "tradeoff"} == set(Regime)
    undecided = {claim.id for claim in found.claims if claim.verdict == "undecided"}
    assert undecided == {"C1", "C7", "C10"}
    assert {claim.id for claim in found.claims if claim.fresh} == {"C4", "C5", "C8"}
    way = found.explanation
    assert way is not None and way.strongest is not None
    assert way.strongest.setting == "target"
    total = sum(change.worth.mean for change in way.changes)
    assert way.first.validation + total == pytest.approx(way.last.validation)


def test_designs_that_the_experiment_no_longer_has_keep_their_training(
    kept: dict[str, KeptStudy],
) -> None:
    records = [one for one in kept["tradeoff"].records if one.state is State.COMPLETE]
    assert len(records) == 48
    for record in records:
        assert record.parameters is not None
        own = record.parameters
        assert (own.ema_epochs, own.weights, own.epochs) == (1.0, "last", 200)


def test_sizes_and_kinds_are_curves_of_their_own(kept: dict[str, KeptStudy]) -> None:
    found = facts(list(kept.values()))
    curves = [(curve.axis, curve.units, len(curve.levels)) for curve in found.tradeoff]
    assert [one for one in curves if one[0] in ("l2", "dropout")] == [
        ("l2", (16,), 5),
        ("l2", (32, 16), 5),
        ("dropout", (16,), 4),
        ("dropout", (32, 16), 4),
    ]
    assert {claim.looked for claim in found.claims} == {3}


@pytest.mark.parametrize("name", STUDIES)
def test_they_are_read_in_the_space_they_were_begun_in(
    kept: dict[str, KeptStudy], name: str
) -> None:
    study = kept[name]
    experiment = study.experiment()
    assert [one.name for one in experiment.designs] == list(study.contract["designs"])
    complete = [one for one in study.records if one.state is State.COMPLETE]
    assert complete
    for record in complete:
        assert experiment.space.problems(record.flat) == []
        assert record.parameters is not None
        own = record.parameters
        assert (own.target, own.inputs, own.lookback, own.schedule) == (
            "level",
            "cycles",
            None,
            "constant",
        )

"""Names of studies and models by their files."""

import re
from pathlib import Path

import pytest

from experiments.experiment import Experiment
from search.common.errors import Refused
from search.common.stores import check_name, choose_stores
from search.engine.naming import default_name, model_name, study_name
from search.engine.opening import hold_study, open_study
from search.engine.plan import Plan, make_plan
from search.engine.session import foresee
from search.tuning.kept_studies import found_again
from tests.data_pipeline.files import hours, rows, text
from tests.search.samples import experiment


def of_file(path: Path, plus: float = 0.0) -> Experiment:
    """The tiny experiment on a file of its own."""
    path.parent.mkdir(exist_ok=True)
    lines = [f"{row}{'' if not plus else '5'}" for row in rows(hours(480))]
    path.write_text(text(lines))
    source = {"path": path, "unit": "kW"}
    base = experiment()
    return base.model_copy(update={"source": base.source.model_validate(source)})


def plan_of(path: Path, plus: float = 0.0) -> Plan:
    return make_plan(of_file(path, plus))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlruns").mkdir()


def begin(plan: Plan) -> str:
    stores = choose_stores(None, None)
    name, _ = study_name(plan, stores)
    foresee(plan, name, stores)
    with hold_study(name, stores) as storage:
        open_study(plan, name, storage, stores)
    return name


def test_d28_hangul_file_names_are_told_apart_and_can_be_read() -> None:
    names = [default_name(of_file(Path(f"{stem}.csv"))) for stem in ("전력", "가스", "전력 2")]
    assert len(set(names)) == 3 and names[0].startswith("tiny-jeonryeog-")
    assert all(check_name("--study", name) for name in names)
    assert default_name(of_file(Path("meter.csv"))) == "tiny-meter"


def test_d28_two_files_of_one_name_get_two_studies(tmp_path: Path) -> None:
    one, other = plan_of(tmp_path / "a" / "meter.csv"), plan_of(tmp_path / "b" / "meter.csv", 1)
    assert begin(one) == "tiny-meter"
    name, told = study_name(other, choose_stores(None, None))
    assert re.fullmatch("tiny-meter-[0-9a-f]{6}", name)
    assert str(tmp_path / "a" / "meter.csv") in told and str(tmp_path / "b" / "meter.csv") in told
    assert begin(other) == begin(other) == name and begin(one) == "tiny-meter"
    assert model_name(name, other.experiment) == name
    assert model_name("mine", other.experiment) == "tiny-meter"


def test_d28_a_refusal_names_both_files(tmp_path: Path) -> None:
    one, other = plan_of(tmp_path / "a" / "meter.csv"), plan_of(tmp_path / "b" / "meter.csv", 1)
    begin(one)
    with pytest.raises(Refused) as refusal:
        foresee(other, "tiny-meter", choose_stores(None, None))
    assert f"begun with {tmp_path}/a/meter.csv, given {tmp_path}/b/meter.csv" in str(refusal.value)


def test_d28_a_study_of_a_hangul_file_that_earlier_versions_began_goes_on() -> None:
    plan = plan_of(Path("전력.csv"))
    stores = choose_stores(None, None)
    with hold_study("tiny---", stores) as storage:
        open_study(plan, "tiny---", storage, stores)
    assert study_name(plan, stores) == ("tiny---", "")
    assert model_name("tiny---", plan.experiment) == "tiny---"


def test_d25_a_data_file_is_found_again_after_its_folder_was_moved(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meter.csv").write_text("x")
    before = Path("/home/somebody/project/data/meter.csv")
    assert found_again(before) == tmp_path / "data" / "meter.csv"
    assert found_again(Path("/home/somebody/other.csv")) == Path("/home/somebody/other.csv")

"""What is found out and said before anything is trained."""

import stat
from pathlib import Path

import numpy as np
import pytest

from data_pipeline.source import DataSource
from experiments.catalogue import CATALOGUE
from search import pool
from search.errors import WrongInput
from search.plan import adapt, default_workers, find_gpus, make_plan, plan_lines
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


def _driver(folder: Path, script: str) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)


TWO = "echo 'GPU 0: A (UUID: 1)'; echo 'GPU 1: B (UUID: 2)'"


@pytest.mark.parametrize(
    ("script", "visible", "found"),
    [
        (TWO, None, (0, 1)),
        (TWO, "1", (0,)),
        (TWO, "", ()),
        (TWO, "-1", ()),
        ("exit 9", None, ()),
        (None, "0", ()),  # asked for where no driver is
    ],
)
def test_gpus_are_those_of_the_driver_that_the_environment_leaves(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str | None,
    visible: str | None,
    found: tuple[int, ...],
) -> None:
    if script:
        _driver(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert find_gpus() == found


def test_one_worker_a_gpu_else_one_a_core() -> None:
    assert default_workers((0, 1, 2)) == 3
    assert default_workers((0, 1, 2), per_gpu=4) == 12
    assert default_workers(()) >= 1


def test_a_wrong_feature_name_is_told_by_its_option() -> None:
    with pytest.raises(WrongInput, match=r"^--features"):
        adapt(CATALOGUE["smoke"], {"source.features": ("a" * 5000, 3)})


def test_the_socket_of_a_long_temporary_folder_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pool._folder_for_sockets() as folder:
        assert len(folder) < 100

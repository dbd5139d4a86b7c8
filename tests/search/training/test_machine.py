"""Which GPUs are found, and how many workers there are."""

import stat
from pathlib import Path

import pytest

from search.training.machine import default_workers, find_gpus


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

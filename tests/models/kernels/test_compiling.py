"""Where compiled code is kept, and what happens where nothing can be."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from models.kernels import compiling
from tests.search.command import REPOSITORY

CODE = (
    "from models.kernels import compiling, steps\n"
    "print(compiling.PLACE, sum(steps.train_epoch.stats.cache_hits.values()))"
)


def _start(cache: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CODE],
        cwd=REPOSITORY,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_one_process_compiles_while_others_wait_and_load(tmp_path: Path) -> None:
    processes = [_start(tmp_path) for _ in range(3)]
    said = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    places, loaded = zip(*(out.split() for out, _ in said), strict=True)
    assert len(set(places)) == 1 and places[0].startswith(str(tmp_path))
    assert sorted(loaded) == ["0", "1", "1"]


def test_where_nothing_can_be_kept_the_kernels_are_compiled_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    process = _start(tmp_path / "file")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert out.startswith("None")


def test_a_full_disk_is_noticed_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, _: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert compiling.find_place() is not None
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    assert compiling.find_place() is None


def test_no_home_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Any:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert compiling.find_place() is None


def test_the_folder_is_named_by_the_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = compiling._digest()
    sources = tmp_path / "kernels"
    sources.mkdir()
    for source in Path(compiling.__file__).parent.glob("*.py"):
        (sources / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(compiling, "__file__", str(sources / "compiling.py"))
    assert compiling._digest() == before
    with (sources / "gates.py").open("a") as file:
        file.write("# changed\n")
    assert compiling._digest() != before

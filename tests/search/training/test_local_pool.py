"""The pool of processes on this machine."""

from pathlib import Path

import pytest

from search.training import local_pool


def test_the_socket_of_a_long_temporary_folder_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with local_pool._folder_for_sockets() as folder:
        assert len(folder) < 100

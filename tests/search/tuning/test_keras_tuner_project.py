"""Whose a project directory of KerasTuner is."""

from pathlib import Path

import pytest

from search.common.errors import Refused
from search.tuning.keras_tuner_project import claim

HERE, OTHER = "a" * 32, "b" * 32


def test_a_project_directory_is_claimed_once_and_found_again(tmp_path: Path) -> None:
    place = tmp_path / "keras_tuner" / "mine"
    claim(place, "mine", HERE)
    (place / "oracle.json").write_text("{}")
    claim(place, "mine", HERE)
    assert (place / "oracle.json").exists()


def test_a_directory_of_another_study_is_refused_by_name_and_kept(tmp_path: Path) -> None:
    claim(tmp_path / "theirs", "theirs", OTHER)
    with pytest.raises(Refused) as refusal:
        claim(tmp_path / "theirs", "mine", HERE)
    for expected in ("'theirs'", "'mine'", str(tmp_path / "theirs"), "Next: move"):
        assert expected in str(refusal.value)
    claim(tmp_path / "theirs", "theirs", OTHER)


def test_a_directory_of_nobody_is_refused_unless_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "oracle.json").write_text("{}")
    with pytest.raises(Refused, match="of no study"):
        claim(tmp_path, "mine", HERE)
    (tmp_path / "oracle.json").unlink()
    (tmp_path / "study.json.part").write_text('{"stu')  # killed at the first attempt
    claim(tmp_path, "mine", HERE)
    claim(tmp_path, "mine", HERE)

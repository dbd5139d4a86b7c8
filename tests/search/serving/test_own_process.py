"""A function in a process of its own: what it says, and what it does not."""

from pathlib import Path

import pytest

from search.common.errors import Refused
from search.serving.own_process import run_apart


def compute(place: Path) -> None:
    import tensorflow as tf

    place.write_text(str(float(tf.constant(1.0) + 1.0)))


def fail(place: Path) -> None:
    raise ValueError(f"{place.name} is no number")


def test_nothing_is_said_beside_what_the_function_does(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_apart(compute, tmp_path / "two", failing="it failed")
    assert (tmp_path / "two").read_text() == "2.0"
    assert capfd.readouterr() == ("", "")


def test_its_error_is_a_refusal_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="it failed: ValueError: two is no number"):
        run_apart(fail, tmp_path / "two", failing="it failed")

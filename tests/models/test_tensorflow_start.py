"""The environment that TensorFlow starts in."""

import os

import pytest

from models.tensorflow_start import cpu_environment, hide_gpus, quiet_start

NAMES = ("TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        # Set first, so that what the test sets is taken back in any case.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_quiet_start_leaves_what_a_person_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    quiet_start()
    assert [os.environ.get(name) for name in NAMES] == ["0", None, "tensorflow"]


def test_d24_another_backend_of_keras_is_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert cpu_environment()["KERAS_BACKEND"] == "tensorflow"
    quiet_start()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize(("unless_chosen", "left"), [(False, "-1"), (True, "1")])
def test_gpus_are_hidden_and_a_persons_choice_is_kept_where_that_is_asked_for(
    unless_chosen: bool, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_gpus(unless_chosen)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    hide_gpus(unless_chosen)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == left


def test_a_process_on_the_cpu_sees_no_gpu_and_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    made = cpu_environment()
    said = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    assert made == os.environ | said | {"KERAS_BACKEND": "tensorflow"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"

"""Which of the kernels and TensorFlow trains, and what is said about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import kernel_check
from models.backend import choose_backend, make_trainer
from models.build import build
from models.device import Device
from models.fit import KerasTrainer
from models.kernel_trainer import KernelTrainer
from tests.models.kernels.reference import parameters

CPU = Device("cpu", "a processor", ("no GPU found: training on the CPU", "a note"))
GPU = Device("gpu", "a card", ("training on GPU 0",))


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    kernel_check.reason_against_kernels.cache_clear()
    yield
    kernel_check.reason_against_kernels.cache_clear()


def test_the_kernels_train_on_a_cpu_where_they_work() -> None:
    found = choose_backend(CPU)
    assert found.backend == "kernels"
    assert found.notes == ("no GPU found: training on the CPU, by compiled kernels", "a note")


def test_tensorflow_trains_on_a_gpu_and_the_kernels_are_not_asked() -> None:
    def fail() -> str:
        raise AssertionError("asked")

    found = choose_backend(GPU, fail)
    assert (found.backend, found.notes) == ("tensorflow", ("training on GPU 0, by TensorFlow",))


def test_where_the_kernels_do_not_work_tensorflow_trains_and_one_line_says_why() -> None:
    found = choose_backend(CPU, lambda: "numba cannot be imported")
    assert found.backend == "tensorflow"
    assert found.notes == (
        "no GPU found: training on the CPU, by TensorFlow",
        "a note",
        "the compiled kernels are not used, training is slower: numba cannot be imported",
    )


def test_a_network_that_the_kernels_cannot_train_is_trained_by_tensorflow() -> None:
    device = choose_backend(CPU, lambda: None)
    plain = build(parameters((4,)), 5, 2, 1, 0)
    recurrent = build(parameters((4,), recurrent_dropout=0.1), 5, 2, 1, 0)
    assert isinstance(make_trainer(plain, device), KernelTrainer)
    assert isinstance(make_trainer(recurrent, device), KerasTrainer)
    assert isinstance(make_trainer(plain, GPU), KerasTrainer)


def test_the_check_passes_here() -> None:
    assert kernel_check._check() is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            RuntimeError("LLVM said no\nmore"),
            "cannot be compiled or run: RuntimeError: LLVM said no",
        ),
        (None, "gradients differ from Keras' by 1.0e-02"),
    ],
)
def test_what_fails_is_a_reason_and_is_remembered(
    error: Exception | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def differ() -> float:
        tries.append(1)
        if error is not None:
            raise error
        return 0.01

    monkeypatch.setattr(kernel_check, "_difference", differ)
    file = tmp_path / "check.json"
    first = kernel_check._check_once(file)
    assert first is not None and words in first and "more" not in first
    assert kernel_check._check_once(file) == first
    assert len(tries) == 1


def test_nan_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_check, "_difference", lambda: float("nan"))
    assert "differ from Keras' by nan" in str(kernel_check._check())


def test_a_check_that_killed_two_processes_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die() -> float:
        raise Killed

    file = tmp_path / "check.json"
    monkeypatch.setattr(kernel_check, "_difference", die)
    for _ in range(2):
        with pytest.raises(Killed):
            kernel_check._check_once(file)
    reason = kernel_check._check_once(file)
    assert (
        reason is not None and f"ended its process 2 times; to try again, delete {file}" in reason
    )


def test_an_answer_that_cannot_be_read_is_found_out_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_check, "_difference", lambda: 0.0)
    file = tmp_path / "check.json"
    for text in ("", "{", "[1]"):
        file.write_text(text)
        assert kernel_check._check_once(file) is None
        assert kernel_check._check_once(file) is None


def test_numba_missing_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "models.kernels.compiling", None)
    reason = kernel_check.reason_against_kernels()
    assert reason is not None and reason.startswith("numba cannot be imported")


def test_the_trainer_restores_what_it_trained(tmp_path: Path) -> None:
    model = build(parameters((4,)), 5, 2, 1, 0)
    trainer: Any = make_trainer(model, choose_backend(CPU, lambda: None))
    kept = trainer.weights()
    x, y = np.ones((8, 5, 2), np.float32), np.ones((8, 1), np.float32)
    trainer.train_epoch(x, y, np.arange(8), 4)
    assert not np.array_equal(trainer.weights()[0], kept[0])
    trainer.restore(kept)
    for one, other in zip(model.trainable_variables, kept, strict=True):
        np.testing.assert_array_equal(np.asarray(one), other)

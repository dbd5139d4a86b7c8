"""How the learning rate falls, as computed and as the trainers take it."""

import math
from typing import Any

import numpy as np
import pytest

from models.build import build
from models.fit import KerasTrainer, fit
from models.kernel_trainer import KernelTrainer
from models.schedule import learning_rate
from tests.models.kernels.reference import parameters


def test_the_cosine_by_hand() -> None:
    found = parameters((3,), learning_rate=0.02, epochs=4, schedule="cosine")
    expected = [0.02, 0.02 * (1 + math.sqrt(0.5)) / 2, 0.01, 0.02 * (1 - math.sqrt(0.5)) / 2]
    assert [learning_rate(found, epoch) for epoch in range(1, 5)] == pytest.approx(expected)


def test_the_constant_rate_never_changes() -> None:
    found = parameters((3,), learning_rate=0.02, epochs=4)
    assert {learning_rate(found, epoch) for epoch in range(1, 5)} == {0.02}


def test_one_epoch_has_the_whole_rate() -> None:
    assert learning_rate(parameters((3,), epochs=1, schedule="cosine"), 1) == 0.01


@pytest.mark.parametrize("kind", [KerasTrainer, KernelTrainer])
def test_both_trainers_take_the_rate_of_the_epoch_and_record_it(kind: Any) -> None:
    found = parameters((3,), epochs=4, schedule="cosine", learning_rate=0.02)
    random = np.random.default_rng(0)
    x, y = (random.normal(size=size).astype(np.float32) for size in ((20, 5, 2), (20, 1)))
    trainer = kind(build(found, 5, 2, 1, seed=0))
    # A pruner that stops early leaves the rates as those of a whole training.
    record = fit(trainer, found, x, y, x, y, lambda epoch, _: epoch == 3)
    expected = [learning_rate(found, epoch) for epoch in range(1, 4)]
    assert record.history["learning_rate"] == pytest.approx(expected, rel=1e-6)
    assert record.stopped_by == "pruner"


@pytest.mark.parametrize("kind", [KerasTrainer, KernelTrainer])
def test_a_step_of_adam_has_the_length_of_the_rate(kind: Any) -> None:
    # The first step of Adam moves every weight that has a gradient by the learning rate.
    x, y = np.ones((4, 3, 2), np.float32), np.full((4, 1), 5, np.float32)
    trainer = kind(build(parameters((3,), learning_rate=0.5), 3, 2, 1, seed=0))
    before = trainer.weights()
    trainer.set_learning_rate(0.003)
    trainer.train_epoch(x, y, np.arange(4), 4)
    moved = np.abs(np.asarray(trainer.weights()[-1]) - np.asarray(before[-1]))
    np.testing.assert_allclose(moved, 0.003, rtol=1e-3)

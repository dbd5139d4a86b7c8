"""Choosing a device; what TensorFlow or the machine refuses becomes a note."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from models import device
from models.device import prepare_device

GPUS = [SimpleNamespace(name="/physical_device:GPU:0"), SimpleNamespace(name="GPU:1")]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """TensorFlow's configuration replaced by a recorder with two GPUs."""
    seen: dict[str, Any] = {"gpus": list(GPUS), "growth": []}
    config = tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: seen["gpus"])
    monkeypatch.setattr(
        config, "set_visible_devices", lambda gpus, kind: seen.update(visible=list(gpus))
    )
    monkeypatch.setattr(
        config.experimental, "set_memory_growth", lambda gpu, on: seen["growth"].append((gpu, on))
    )
    monkeypatch.setattr(
        config.experimental, "get_device_details", lambda gpu: {"device_name": "Card X"}
    )
    for kind in ("intra", "inter"):
        monkeypatch.setattr(
            config.threading,
            f"set_{kind}_op_parallelism_threads",
            lambda threads, kind=kind: seen.update({kind: threads}),
        )
    return seen


def test_the_gpu_asked_for_is_the_only_one_visible_and_grows(calls: dict[str, Any]) -> None:
    found = prepare_device(threads=2, gpu=1)
    assert (found.kind, found.name) == ("gpu", "Card X")
    assert found.notes == ("training on GPU 1 (Card X)",)
    assert calls["visible"] == [GPUS[1]]
    assert calls["growth"] == [(GPUS[1], True)]
    assert (calls["intra"], calls["inter"]) == (2, 2)


def test_a_memory_growth_failure_is_a_note(
    calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(gpu: Any, on: bool) -> None:
        raise RuntimeError("devices are\n  already initialized")

    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    found = prepare_device(threads=1, gpu=0)
    assert found.kind == "gpu"
    assert found.notes[1:] == (
        "GPU memory growth could not be switched on: devices are already initialized",
    )


@pytest.mark.parametrize(
    ("gpus", "gpu", "beginning"),
    [
        ([], None, "no GPU found: training on the CPU (My CPU), 1 thread"),
        ([], 0, "no GPU found: training on the CPU"),
        (GPUS, None, "2 GPUs found, none asked for: training on the CPU"),
        (GPUS[:1], 3, "GPU 3 asked for, 1 GPU found: training on the CPU"),
    ],
)
def test_the_cpu_is_used_and_the_reason_told(
    gpus: list[Any],
    gpu: int | None,
    beginning: str,
    calls: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "cpu_name", lambda: "My CPU")
    calls["gpus"] = gpus
    found = prepare_device(threads=1, gpu=gpu)
    assert (found.kind, found.name) == ("cpu", "My CPU")
    assert found.notes[0].startswith(beginning)
    assert len(found.notes) == 1
    assert calls["visible"] == []
    assert calls["growth"] == []


def test_settings_refused_after_the_first_use_are_notes(
    calls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("too late")

    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", refuse)
    monkeypatch.setattr(tf.config, "set_visible_devices", refuse)
    found = prepare_device(threads=1)
    assert found.notes[1:] == (
        "thread counts were left as they are: too late",
        "visible GPUs were left as they are: too late",
    )


@pytest.mark.parametrize(("threads", "gpu"), [(0, None), (1, -1)])
def test_impossible_requests_are_refused(threads: int, gpu: int | None) -> None:
    with pytest.raises(ValueError, match="found"):
        prepare_device(threads, gpu)


def test_a_fresh_process_takes_the_thread_counts() -> None:
    script = (
        "import json, tensorflow as tf\n"
        "from models.device import prepare_device\n"
        "found = prepare_device(threads=1)\n"
        "tf.constant(1.0) + 1.0\n"
        "config = tf.config.threading\n"
        "print(json.dumps([found.kind, len(found.notes),"
        " config.get_intra_op_parallelism_threads(), config.get_inter_op_parallelism_threads()]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert json.loads(run.stdout.splitlines()[-1]) == ["cpu", 1, 1, 1]

"""Where training runs: thread counts and GPU, set before TensorFlow's first use."""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

Backend = Literal["kernels", "tensorflow"]


@dataclass(frozen=True)
class Device:
    """What this process trains on.

    Attributes:
        kind: "gpu" or "cpu".
        name: the processor's or the GPU's model name, for people.
        notes: messages for people, one line each; the first says what was chosen.
        backend: what trains on it, where a network allows it; `models.backend` decides.
    """

    kind: Literal["gpu", "cpu"]
    name: str
    notes: tuple[str, ...]
    backend: Backend = "tensorflow"


def prepare_device(threads: int, gpu: int | None = None) -> Device:
    """Bind this process to one GPU or to the CPU. Call it before TensorFlow's first use.

    Nothing that the machine lacks or TensorFlow refuses is fatal: it becomes a note.

    Args:
        threads: threads inside and between TensorFlow's operations, at least 1.
        gpu: index of the GPU to train on; None trains on the CPU and hides all GPUs.

    Returns:
        The device chosen: the CPU where the GPU asked for does not exist.

    Raises:
        ValueError: `threads` is below 1 or `gpu` below 0.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, found {threads}")
    if gpu is not None and gpu < 0:
        raise ValueError(f"gpu must be an index from 0 or None for the CPU, found {gpu}")

    problems = _set_threads(threads)
    gpus = tf.config.list_physical_devices("GPU")
    if gpu is None or gpu >= len(gpus):
        problems += _show_only([])
        chosen = f"training on the CPU ({cpu_name()}), {_count(threads, 'thread')}"
        return Device("cpu", cpu_name(), (f"{_why_cpu(gpu, len(gpus))}: {chosen}", *problems))

    wanted = gpus[gpu]
    name = str(tf.config.experimental.get_device_details(wanted).get("device_name", wanted.name))
    problems += _show_only([wanted])
    problems += _grow_memory(wanted)
    return Device("gpu", name, (f"training on GPU {gpu} ({name})", *problems))


def cpu_name() -> str:
    """The processor's model name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine() or "unknown processor"


def _why_cpu(gpu: int | None, found: int) -> str:
    if found == 0:
        return "no GPU found"
    count = f"{_count(found, 'GPU')} found"
    return f"{count}, none asked for" if gpu is None else f"GPU {gpu} asked for, {count}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _set_threads(threads: int) -> list[str]:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:  # TensorFlow has already been used in this process
        return [f"thread counts were left as they are: {_one_line(error)}"]
    return []


def _show_only(gpus: list[Any]) -> list[str]:
    try:
        tf.config.set_visible_devices(gpus, "GPU")
    except (RuntimeError, ValueError) as error:
        return [f"visible GPUs were left as they are: {_one_line(error)}"]
    return []


def _grow_memory(gpu: Any) -> list[str]:
    """Let GPU memory grow as needed, so that several workers can share one GPU."""
    try:
        tf.config.experimental.set_memory_growth(gpu, True)
    except (RuntimeError, ValueError) as error:
        return [f"GPU memory growth could not be switched on: {_one_line(error)}"]
    return []


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

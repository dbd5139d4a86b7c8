"""TensorFlow's start in a process of ours: quiet, and without what Keras would import in case.

All environment variables that it reads are set here, before it is imported.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

# For wrappers and galleries that nothing here uses; they take a third of the start.
_NOT_FOR_KERAS = ("matplotlib", "sklearn")
_LEVEL, _GPUS, _BACKEND = "TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND"
# Of the messages of its native code: warnings and errors alone.
_WARNINGS = "2"
_NO_GPU = "-1"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def quiet_start() -> None:
    """Ask TensorFlow for few messages, where nothing else was asked, and Keras for TensorFlow.

    The backend is set whatever the person's environment or `keras.json` says: the networks are of
    TensorFlow. The variable overrides that file.
    """
    os.environ.setdefault(_LEVEL, _WARNINGS)
    os.environ[_BACKEND] = "tensorflow"


def hide_gpus(unless_chosen: bool = False) -> None:
    """Let TensorFlow see no GPU; `unless_chosen`: only where the person has not named any."""
    if not (unless_chosen and _GPUS in os.environ):
        os.environ[_GPUS] = _NO_GPU


def one_thread() -> None:
    """Ask the libraries that TensorFlow brings for one thread, where nothing else was asked."""
    for variable in _THREADS:
        os.environ.setdefault(variable, "1")


def cpu_environment() -> dict[str, str]:
    """The environment of a process of ours that computes on the CPU."""
    return os.environ | {_LEVEL: _WARNINGS, _GPUS: _NO_GPU, _BACKEND: "tensorflow"}


@contextlib.contextmanager
def tensorflow_start() -> Iterator[None]:
    """Import TensorFlow in here, before a thread of ours could say or import anything meanwhile.

    Packages that are loaded already stay so; what is left out can be imported afterwards.
    """
    with native_messages_dropped(), _left_out(_NOT_FOR_KERAS), _without_collections():
        yield


@contextlib.contextmanager
def native_messages_dropped() -> Iterator[None]:
    """Keep native code from writing to the person's terminal; exceptions still come through.

    Some lines are written before TensorFlow reads the log level that was asked for.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Look for no garbage among what an import makes: it stays as long as the process."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def _left_out(names: tuple[str, ...]) -> Iterator[None]:
    """Make packages look as if they were not installed."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # as the import system documents it
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]

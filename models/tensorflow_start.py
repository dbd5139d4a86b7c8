"""TensorFlow's start in a process of ours: quiet, and without what Keras would import in case."""

import contextlib
import os
import sys
from collections.abc import Iterator

# For wrappers and galleries that nothing here uses; they take a third of the start.
_NOT_FOR_KERAS = ("matplotlib", "sklearn")


@contextlib.contextmanager
def tensorflow_start() -> Iterator[None]:
    """Import TensorFlow in here, before a thread of ours could say or import anything meanwhile.

    Packages that are loaded already stay so; what is left out can be imported afterwards.
    """
    with native_messages_dropped(), _left_out(_NOT_FOR_KERAS):
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

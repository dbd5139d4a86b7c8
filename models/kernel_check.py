"""Whether the kernels work on this machine: compiled, and tried against stock Keras layers.

The answer is kept beside the compiled code, so it is found out once a machine and version. One
process does so while the others wait.
"""

import contextlib
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

# Relative, in the norm; both sides compute in float32.
_TOLERANCE = 1e-5
# Checks that may end with their process before the kernels are given up: one may be killed by a
# person, but code that crashes would kill worker after worker.
_MOST_DEATHS = 2


@functools.cache
def reason_against_kernels() -> str | None:
    """Why the kernels cannot be used in this process; None if they can.

    Takes some seconds on a machine and version that has not seen them; imports Keras then.
    """
    try:
        from models.kernels.compiling import PLACE
    except ImportError as error:
        return f"numba cannot be imported: {error}"
    if PLACE is None:
        return _check()
    with FileLock(PLACE / "check.lock"):
        return _check_once(PLACE / "check.json")


def _check_once(file: Path) -> str | None:
    """Find the answer in `file`, or find it out and leave it there."""
    known = _read(file)
    if "reason" in known:
        reason: str | None = known["reason"]
        return reason
    deaths = int(known.get("begun", 0))
    if deaths >= _MOST_DEATHS:
        return f"their check ended its process {deaths} times; to try again, delete {file}"
    _write(file, {"begun": deaths + 1})
    reason = _check()
    _write(file, {"reason": reason})
    return reason


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, known: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # full by now: the next process finds it out again
        file.write_text(json.dumps(known), encoding="utf-8")


def _check() -> str | None:
    """Compile the kernels, and compare gradients and forecasts of a small stack with Keras."""
    try:
        apart = _difference()
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, TensorFlow can still train
        first = (str(error).strip().splitlines() or [""])[0]
        return f"they cannot be compiled or run: {type(error).__name__}: {first}"
    if not apart < _TOLERANCE:
        return f"their gradients differ from Keras' by {apart:.1e}, at most {_TOLERANCE:.0e} is due"
    return None


def _difference() -> float:
    """The largest relative difference of a gradient or the forecasts."""
    import tensorflow as tf

    from models.build import build, plain_copy
    from models.kernel_trainer import gradients
    from models.parameters import TrialParameters

    parameters = TrialParameters(
        units=(9, 5),
        dropout=(0.0, 0.0),
        l2=0.0,
        learning_rate=1e-3,
        batch_size=1,
        patience=1,
        epochs=1,
    )
    model = build(parameters, window=7, features=3, horizon=2, seed=1)
    stock = plain_copy(model)
    random = np.random.default_rng(1)
    # More windows than any machine computes at once, and not a multiple.
    x, y = (random.normal(size=size).astype(np.float32) for size in ((37, 7, 3), (37, 2)))
    with tf.GradientTape() as tape:
        forecasts = stock(x, training=True)
        loss = tf.reduce_mean(tf.square(forecasts - y))
    expected = [np.asarray(one) for one in tape.gradient(loss, stock.trainable_variables)]
    found = gradients(model, x, y)
    pairs = [*zip(found[1], expected, strict=True), (found[0], np.asarray(forecasts))]
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs)

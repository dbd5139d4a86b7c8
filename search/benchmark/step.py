"""Seconds of one training step, fused and stock layer, and of a matrix product, on one thread.

Prints JSON. The variants alternate, so a drift of the machine affects them equally.
"""

import functools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from models.cost import epoch_flops
from models.device import prepare_device
from models.parameters import TrialParameters

BATCH, WINDOW, FEATURES = 64, 168, 6
MATRIX = 1024


def main() -> None:
    """Measure; the argument is the number of alternations."""
    prepare_device(threads=1)
    import tensorflow as tf

    from models.build import build
    from models.fit import training_step
    from search.benchmark import stock

    rounds = int(sys.argv[1])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, WINDOW, FEATURES)).astype(np.float32)
    y = rng.normal(size=(BATCH, 1)).astype(np.float32)
    square = tf.constant(rng.normal(size=(MATRIX, MATRIX)).astype(np.float32))
    product = tf.function(lambda: tf.matmul(square, square)[0, 0])
    timed: dict[str, Callable[[], object]] = {"product": lambda: float(product())}
    flops = {"product": 2.0 * MATRIX**3}
    for units in ((64, 32), (128, 64), (16, 8)):
        parameters = TrialParameters(
            units=units,
            dropout=(0.2, 0.2),
            l2=1e-4,
            learning_rate=1e-3,
            batch_size=BATCH,
            patience=5,
            epochs=1,
        )
        for kind, model in (
            ("fused", build(parameters, WINDOW, FEATURES, 1, seed=0)),
            ("stock", stock.build(parameters, WINDOW, FEATURES, 1)),
        ):
            name = f"{kind} {'/'.join(map(str, units))}"
            step = training_step(model)
            timed[name] = functools.partial(_step, step, x, y)
            flops[name] = epoch_flops(parameters, BATCH, WINDOW, FEATURES)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for run in timed.values():
        run()  # traces the graph
        run()
    for _ in range(rounds):
        for name, run in timed.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    sys.stdout.write(json.dumps({"seconds": seconds, "flops": flops}) + "\n")


def _step(step: Callable[[Any, Any], Any], x: Any, y: Any) -> float:
    return float(step(x, y))  # waits for the result


if __name__ == "__main__":
    main()

"""CPU seconds of one training step by the kernels, the fused and the stock layer, on one thread.

Prints JSON, with the seconds of a matrix product. The variants alternate, so a drift of the machine
affects them equally.
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

WINDOW, FEATURES = 168, 6
MATRIX = 1024
# Units and windows a batch, as searches have them: small and large, one layer and two.
SIZES = (
    ((16,), 32),
    ((39,), 32),
    ((32, 16), 32),
    ((64, 32), 32),
    ((64, 32), 64),
    ((128, 64), 64),
)


def main() -> None:
    """Measure; the argument is the number of alternations."""
    prepare_device(threads=1)
    import tensorflow as tf

    rng = np.random.default_rng(0)
    square = tf.constant(rng.normal(size=(MATRIX, MATRIX)).astype(np.float32))
    product = tf.function(lambda: tf.matmul(square, square)[0, 0])
    timed: dict[str, Callable[[], object]] = {"product": lambda: float(product())}
    flops = {"product": 2.0 * MATRIX**3}
    for units, batch in SIZES:
        parameters = _parameters(units, batch)
        for kind, run in _steps(parameters, rng).items():
            name = f"{kind} {'/'.join(map(str, units))} x {batch}"
            timed[name] = run
            flops[name] = epoch_flops(parameters, batch, WINDOW, FEATURES)
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for run in timed.values():
        run()  # traces the graph
        run()
    for _ in range(int(sys.argv[1])):
        for name, run in timed.items():
            began = time.process_time()
            run()
            seconds[name].append(time.process_time() - began)
    sys.stdout.write(json.dumps({"seconds": seconds, "flops": flops}) + "\n")


def _parameters(units: tuple[int, ...], batch: int) -> TrialParameters:
    return TrialParameters(
        units=units,
        dropout=(0.2,) * len(units),
        l2=1e-4,
        learning_rate=1e-3,
        batch_size=batch,
        patience=5,
        epochs=1,
    )


def _steps(
    parameters: TrialParameters, rng: np.random.Generator
) -> dict[str, Callable[[], object]]:
    """A step of each variant on one batch; each waits for its result."""
    from models.build import build
    from models.fit import training_step
    from models.kernel_trainer import KernelTrainer
    from search.benchmark import stock

    batch = parameters.batch_size
    x = rng.normal(size=(batch, WINDOW, FEATURES)).astype(np.float32)
    y = rng.normal(size=(batch, 1)).astype(np.float32)
    kernels = KernelTrainer(build(parameters, WINDOW, FEATURES, 1, seed=0))
    fused = training_step(build(parameters, WINDOW, FEATURES, 1, seed=0))
    plain = training_step(stock.build(parameters, WINDOW, FEATURES, 1))
    return {
        "kernels": functools.partial(kernels.train_epoch, x, y, np.arange(batch), batch),
        "fused": functools.partial(_graph_step, fused, x, y),
        "stock": functools.partial(_graph_step, plain, x, y),
    }


def _graph_step(step: Callable[[Any, Any], Any], x: Any, y: Any) -> float:
    return float(step(x, y))


if __name__ == "__main__":
    main()

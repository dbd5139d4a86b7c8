"""Regularisation against capacity, with neither early stopping nor a best epoch to go back to.

    python -m search.run --experiment tradeoff

So that both arms of the U-curve may show: on the left networks that learn the training windows by
heart, on the right networks too stiff to learn. Dropout and L2 are varied one at a time.

One seed of 16 designs takes some 20 minutes with two workers on two cores. Expect the lowest
errors, 57 to 61 MW, without any regularisation, and up to 192 MW with the strongest: the right arm
alone. The figures as measured are in docs/results.md.
"""

from experiments.experiment import Design, Experiment
from experiments.lstm_space import stacked_lstm_space
from experiments.power_usage import APRIL_TO_JUNE
from models.parameters import TrialParameters

EPOCHS = 200
LEARNING_RATE = 0.01
CAPACITIES = {"small": (16,), "large": (32, 16)}
L2 = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
DROPOUT = (0.05, 0.2, 0.5)


def _design(capacity: str, l2: float, dropout: float) -> Design:
    units = CAPACITIES[capacity]
    return Design(
        name=f"{capacity}_l2_{l2:g}_dropout_{dropout:g}",
        parameters=TrialParameters(
            units=units,
            dropout=(dropout,) * len(units),
            l2=l2,
            learning_rate=LEARNING_RATE,
            batch_size=32,
            patience=EPOCHS,
            epochs=EPOCHS,
            weights="last",
            ema_epochs=1.0,
        ),
    )


DESIGNS = tuple(
    _design(capacity, l2, dropout)
    for capacity in CAPACITIES
    for l2, dropout in [*((l2, 0.0) for l2 in L2), *((0.0, dropout) for dropout in DROPOUT)]
)

EXPERIMENT = Experiment(
    name="tradeoff",
    summary="L2 and dropout against capacity, trained to the end without early stopping.",
    source=APRIL_TO_JUNE,
    space=stacked_lstm_space(units=(16, 128), patience=(EPOCHS, EPOCHS)),
    designs=DESIGNS,
    repeats=3,
    sampled=False,
    trials=3 * len(DESIGNS),
    epochs=EPOCHS,
    weights="last",
)

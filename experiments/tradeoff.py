"""Underfitting and overfitting along five axes, with neither early stopping nor a best epoch.

    python -m search.run --experiment tradeoff

One network of 32 units learns the change from a day of inputs for 200 epochs without any
regularisation, which is long enough to learn its training windows by heart. One setting at a time
is varied: training length, capacity, strength of L2 and of dropout, and the amount of data. All
networks are judged on the same validation windows by the moving average of their last weights.
"""

from data_pipeline.framing import Framing
from experiments.experiment import Design, Experiment
from experiments.lstm_space import LOOKBACKS, stacked_lstm_space
from experiments.power_usage import APRIL_TO_JUNE
from models.parameters import TrialParameters

EPOCHS = 200
UNITS = 32
# The arms are a few MW where networks underfit: fewer seeds would not prove them.
SEEDS = 8
FRAMING = Framing()


def _design(
    name: str,
    units: int = UNITS,
    l2: float = 0.0,
    dropout: float = 0.0,
    epochs: int = EPOCHS,
    weeks: int | None = None,
) -> Design:
    """A network of one layer; `weeks` of training windows, None for all."""
    return Design(
        name=name,
        parameters=TrialParameters(
            units=(units,),
            dropout=(dropout,),
            l2=l2,
            learning_rate=0.01,
            batch_size=32,
            patience=epochs,
            epochs=epochs,
            weights="last",
            ema_epochs=1.0,
            target="change",
            inputs="changes",
            lookback=24,
        ),
        framing=None if weeks is None else FRAMING.model_copy(update={"train_weeks": weeks}),
    )


# The network that all others differ from in one setting comes first.
DESIGNS = (
    _design("base"),
    *(_design(f"epochs_{epochs}", epochs=epochs) for epochs in (1, 3, 10, 25, 50, 100)),
    *(_design(f"units_{units}", units=units) for units in (1, 2, 4, 8, 128)),
    *(_design(f"l2_{l2:g}", l2=l2) for l2 in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
    *(_design(f"dropout_{rate:g}", dropout=rate) for rate in (0.1, 0.2, 0.4, 0.6, 0.8)),
    *(_design(f"weeks_{weeks}", weeks=weeks) for weeks in (1, 2, 4)),
)

EXPERIMENT = Experiment(
    name="tradeoff",
    summary="Regularisation, training length, capacity and amount of data, one at a time.",
    source=APRIL_TO_JUNE,
    framing=FRAMING,
    space=stacked_lstm_space(
        units=(1, 128),
        layers=(1, 2),
        l2=(1e-7, 1e-1),
        dropout=(0.0, 0.8),
        patience=(1, EPOCHS),
        targets=("level", "change"),
        inputs=("cycles", "changes"),
        lookbacks=LOOKBACKS,
    ),
    designs=DESIGNS,
    repeats=SEEDS,
    sampled=False,
    own_epochs=True,
    trials=SEEDS * len(DESIGNS),
    epochs=EPOCHS,
    weights="last",
    # Also of the designs that studies of earlier versions have.
    ema_epochs=1.0,
)

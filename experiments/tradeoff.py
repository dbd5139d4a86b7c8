"""Underfitting and overfitting along five axes, with neither early stopping nor a best epoch.

    python -m search.run --experiment tradeoff

One network, 32 units without any regularisation, is varied one setting at a time: strength of L2
and of dropout, training length, capacity, and the amount of data. Most of it learns from the latest
week of training windows alone, where learning by heart is easy and training short; the amount of
data and regularisation are also tried with all weeks. All are judged on the same validation windows
by the moving average of their last weights.

The whole experiment is not measured yet; `--dry-run` estimates its time. Looks at one week of
windows with four seeds had a validation RMSE of 260, 209, 195, 228 and 225 MW with 1, 2, 4, 8
and 64 units,
while the train RMSE fell from 209 to 40 MW: expect both arms along the units.
"""

from data_pipeline.framing import Framing
from experiments.experiment import Design, Experiment
from experiments.lstm_space import stacked_lstm_space
from experiments.power_usage import APRIL_TO_JUNE
from models.parameters import TrialParameters

EPOCHS = 200
UNITS = 32
# The arm of large networks is a few tens of MW: fewer seeds would not prove it.
SEEDS = 8
FRAMING = Framing()


def _design(
    name: str,
    units: int = UNITS,
    l2: float = 0.0,
    dropout: float = 0.0,
    weeks: int | None = 1,
    epochs: int = EPOCHS,
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
        ),
        framing=None if weeks is None else FRAMING.model_copy(update={"train_weeks": weeks}),
    )


# The base of each amount of data comes first, then what is changed from it.
DESIGNS = (
    _design("one_week"),
    *(_design(f"one_week_epochs_{epochs}", epochs=epochs) for epochs in (10, 25, 50, 100)),
    *(_design(f"one_week_units_{units}", units=units) for units in (1, 2, 4, 8, 128)),
    *(_design(f"one_week_l2_{l2:g}", l2=l2) for l2 in (1e-5, 1e-4, 1e-3, 1e-2)),
    *(_design(f"one_week_dropout_{rate:g}", dropout=rate) for rate in (0.2, 0.5, 0.8)),
    *(_design(f"weeks_{weeks}", weeks=weeks) for weeks in (2, 4)),
    _design("all_weeks", weeks=None),
    *(_design(f"all_weeks_l2_{l2:g}", l2=l2, weeks=None) for l2 in (1e-4, 1e-3, 1e-2)),
    *(_design(f"all_weeks_dropout_{r:g}", dropout=r, weeks=None) for r in (0.2, 0.5)),
)

EXPERIMENT = Experiment(
    name="tradeoff",
    summary="Regularisation, training length, capacity and amount of data, one at a time.",
    source=APRIL_TO_JUNE,
    framing=FRAMING,
    space=stacked_lstm_space(
        units=(1, 128), layers=(1, 2), dropout=(0.0, 0.8), patience=(5, EPOCHS)
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

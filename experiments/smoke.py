"""The smallest search that goes through every room; used by the tests and to try an installation.

    python -m search.run --experiment smoke

Takes under a minute on two cores, most of it TensorFlow's start. Expect four finished trials; two
epochs of tiny networks on a day's window learn little, so no baseline is beaten.
"""

from data_pipeline.framing import Framing
from data_pipeline.source import DataSource
from experiments.experiment import Design, Experiment
from experiments.lstm_space import stacked_lstm_space
from models.parameters import TrialParameters

SMALL = Design(
    name="small",
    parameters=TrialParameters(
        units=(4,),
        dropout=(0.1,),
        l2=1e-4,
        learning_rate=1e-2,
        batch_size=64,
        patience=2,
        epochs=2,
    ),
)

EXPERIMENT = Experiment(
    name="smoke",
    summary="Seconds: tiny networks on six weeks with a day's window; tries an installation.",
    source=DataSource(start="2014-04-01", end="2014-05-12"),
    framing=Framing(window=24),
    space=stacked_lstm_space(units=(2, 8), layers=(1, 2), patience=(2, 4), batch_sizes=(64, 128)),
    designs=(SMALL,),
    trials=4,
    epochs=2,
    ema_epochs=1.0,
)

"""The same search over wider networks and the whole year; meant for a GPU.

    python -m search.run --experiment power_usage_large --trials 200

On two CPU cores a single trial of the widest networks takes about an hour; on a GPU the network
size hardly matters. Expect lower errors than `power_usage`, mostly from four times the data.
"""

from data_pipeline.source import DataSource
from experiments.experiment import Experiment
from experiments.lstm_space import LOOKBACKS, stacked_lstm_space
from experiments.power_usage import CHANGE, LEARNING_RATE
from experiments.teaching_notes import DOCUMENTED

EXPERIMENT = Experiment(
    name="power_usage_large",
    summary="The same with up to 512 units a layer on the whole year; meant for a GPU.",
    source=DataSource(),
    space=stacked_lstm_space(
        units=(16, 512),
        learning_rate=LEARNING_RATE,
        targets=("level", "change"),
        inputs=("cycles", "changes"),
        lookbacks=LOOKBACKS,
        schedules=("constant", "cosine"),
    ),
    designs=(*DOCUMENTED, CHANGE),
    trials=200,
    epochs=100,
    ema_epochs=1.0,
)

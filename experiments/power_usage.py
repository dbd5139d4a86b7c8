"""Search stacked LSTMs for the built-in power-usage series; the default experiment.

    python -m search.run --trials 50

Took two and a half minutes with two workers on two cores. Expect a best validation RMSE of about
40 MW beside 41 MW of `ridge_by_hour`, the strongest baseline, and 220 to 260 MW of the documents'
three; docs/results.md has the figures as measured.
"""

from data_pipeline.source import DataSource
from experiments.experiment import Design, Experiment
from experiments.lstm_space import LOOKBACKS, stacked_lstm_space
from experiments.teaching_notes import DOCUMENTED, EPOCHS
from models.parameters import TrialParameters

# The teaching notes use three months; April to June match them best.
APRIL_TO_JUNE = DataSource(start="2014-04-01", end="2014-06-30")
# Averaged weights stand larger steps than those of the documents' designs.
LEARNING_RATE = (3e-4, 5e-2)
# Of networks like the documents': they learn the level, from the whole window, at a constant rate.
LEVEL_SPACE = stacked_lstm_space(units=(16, 128), learning_rate=LEARNING_RATE)

# A first trial that is good on most series: it learns the change, as persistence forecasts none.
CHANGE = Design(
    name="change",
    parameters=TrialParameters(
        units=(32,),
        dropout=(0.0,),
        l2=0.0,
        learning_rate=0.01,
        batch_size=32,
        patience=20,
        epochs=EPOCHS,
        ema_epochs=1.0,
        target="change",
        inputs="changes",
        lookback=48,
        schedule="cosine",
    ),
)

EXPERIMENT = Experiment(
    name="power_usage",
    summary="Search stacked LSTMs of 1 or 2 layers and 16 to 128 units on three months of demand.",
    source=APRIL_TO_JUNE,
    space=stacked_lstm_space(
        units=(16, 128),
        layers=(1, 2),
        dropout=(0.0, 0.3),
        learning_rate=(1e-3, 3e-2),
        batch_sizes=(32, 64),
        targets=("level", "change"),
        inputs=("cycles", "changes"),
        lookbacks=LOOKBACKS,
        schedules=("constant", "cosine"),
    ),
    designs=(*DOCUMENTED, CHANGE),
    trials=50,
    epochs=EPOCHS,
    ema_epochs=1.0,
)

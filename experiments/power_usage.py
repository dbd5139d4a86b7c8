"""Search stacked LSTMs for the built-in power-usage series; the default experiment.

    python -m search.run --trials 50

Took 15 minutes with two workers on two cores. Expect a best validation RMSE of about 70 MW beside
41 MW of `ridge_by_hour`, the strongest baseline, and 190 to 250 MW of the documents' three; the
figures as measured are in docs/results.md.
"""

from data_pipeline.source import DataSource
from experiments.experiment import Experiment
from experiments.lstm_space import stacked_lstm_space
from experiments.teaching_notes import DOCUMENTED, EPOCHS

# The teaching notes use three months; April to June match them best.
APRIL_TO_JUNE = DataSource(start="2014-04-01", end="2014-06-30")
# Averaged weights stand larger steps than those of the documents' designs.
LEARNING_RATE = (3e-4, 5e-2)

EXPERIMENT = Experiment(
    name="power_usage",
    summary="Search stacked LSTMs of 1 to 3 layers and 16 to 128 units on three months of demand.",
    source=APRIL_TO_JUNE,
    space=stacked_lstm_space(units=(16, 128), learning_rate=LEARNING_RATE),
    designs=DOCUMENTED,
    trials=50,
    epochs=EPOCHS,
    ema_epochs=1.0,
)

"""Whole learning curves, without early stopping: what the comparisons of pruners replay.

    python -m search.run --experiment full_curves --pruner none

Begun with `--sampler qmc --trials 20`, its first trials spread over the space; the command above
then goes on where a search would look. Expect one to seven minutes a trial and worker on a core.
What was measured is kept in `search/benchmark/curves.csv`.
"""

from experiments.experiment import Experiment
from experiments.lstm_space import stacked_lstm_space
from experiments.power_usage import APRIL_TO_JUNE, LEARNING_RATE
from experiments.teaching_notes import DOCUMENTED, EPOCHS

EXPERIMENT = Experiment(
    name="full_curves",
    summary="Networks like the documents' without early stopping, to compare pruners and tuners.",
    source=APRIL_TO_JUNE,
    space=stacked_lstm_space(
        units=(16, 128), learning_rate=LEARNING_RATE, patience=(EPOCHS, EPOCHS)
    ),
    designs=tuple(
        design.model_copy(
            update={"parameters": design.parameters.model_copy(update={"patience": EPOCHS})}
        )
        for design in DOCUMENTED
    ),
    trials=100,
    epochs=EPOCHS,
    ema_epochs=1.0,
)

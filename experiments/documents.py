"""The three configurations of the teaching notes, each with five seeds; nothing is searched.

    python -m search.run --experiment documents

Not measured as a whole. One seed of the three took 114, 79 and 252 seconds of training on two quiet
cores, so expect about 20 minutes with two workers. With that seed the validation RMSE was 234, 250
and 210 MW for main, main2 and main3.
"""

from experiments.documented import DOCUMENTED, EPOCHS
from experiments.experiment import Experiment
from experiments.power_usage import APRIL_TO_JUNE
from experiments.power_usage import EXPERIMENT as POWER_USAGE

EXPERIMENT = Experiment(
    name="documents",
    summary="The documents' main, main2 and main3 with five seeds each; no sampling, no pruning.",
    source=APRIL_TO_JUNE,
    space=POWER_USAGE.space,
    designs=DOCUMENTED,
    repeats=5,
    sampled=False,
    trials=15,
    epochs=EPOCHS,
)

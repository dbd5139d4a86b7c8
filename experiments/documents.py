"""The three configurations of the teaching notes, each with five seeds; nothing is searched.

    python -m search.run --experiment documents

Took 23 minutes with two workers on two cores that had other work, too. Expect a validation RMSE of
about 230, 246 and 220 MW (mean over the seeds) for main, main2 and main3, with standard deviations
of 8, 10 and 20 MW over the seeds: all far from the 41 MW of `ridge_by_hour`. The figures as
measured are in docs/results.md.
"""

from experiments.experiment import Experiment
from experiments.power_usage import APRIL_TO_JUNE, LEVEL_SPACE
from experiments.teaching_notes import DOCUMENTED, EPOCHS

EXPERIMENT = Experiment(
    name="documents",
    summary="The documents' main, main2 and main3 with five seeds each; no sampling, no pruning.",
    source=APRIL_TO_JUNE,
    space=LEVEL_SPACE,
    designs=DOCUMENTED,
    repeats=5,
    sampled=False,
    trials=15,
    epochs=EPOCHS,
)

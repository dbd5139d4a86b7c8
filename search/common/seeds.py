"""Seeds of single trials, from the study's seed."""

import numpy as np


def trial_seed(study_seed: int, stream: int) -> int:
    """The seed of one trial, from the study's seed and a number: the trial's or its repeat's."""
    return int(np.random.SeedSequence((study_seed, stream)).generate_state(1)[0])

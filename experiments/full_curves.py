"""Whole learning curves of the default search, without early stopping.

    python -m search.run --experiment full_curves --pruner none --sampler qmc

spreads its trials over the space. A second study, with the default sampler, adds curves where a
search looks. Expect about 11 s of a core a trial, and 4 s in the second study. The comparisons of
pruners and tuners replay these curves. What was measured is kept in `search/benchmark/curves.csv`.
"""

from experiments.experiment import Experiment
from experiments.power_usage import EXPERIMENT as SEARCH
from experiments.space import Int, Space
from experiments.teaching_notes import EPOCHS

# A patience that never ends a training: a replay can then apply any.
_ENDLESS = Int(name="patience", low=EPOCHS, high=EPOCHS)

EXPERIMENT = Experiment(
    name="full_curves",
    summary="The default search without early stopping, to compare pruners and tuners.",
    source=SEARCH.source,
    space=Space(
        dimensions=tuple(
            _ENDLESS if one.name == _ENDLESS.name else one for one in SEARCH.space.dimensions
        )
    ),
    designs=tuple(
        design.model_copy(
            update={"parameters": design.parameters.model_copy(update={"patience": EPOCHS})}
        )
        for design in SEARCH.designs
    ),
    trials=132,
    epochs=EPOCHS,
    ema_epochs=SEARCH.ema_epochs,
)

"""Three claims that `claims` left open after twenty seeds, again, with forty fresh seeds.

    python -m search.run --experiment open_claims

Of the open claims C4, C5 and C8 cost the fewest trainings; they were chosen before any fresh seed
was trained. All three are judged once, after the last seed.
"""

from experiments.claims import DESIGNS
from experiments.claims import EXPERIMENT as CLAIMS
from experiments.experiment import Experiment

_NAMES = (
    "main2",
    "main2_dropout_0.1",
    "main2_128_64",
    "main2_patience_10",
    "main2_patience_15",
)
_DESIGNS = tuple(design for design in DESIGNS if design.name in _NAMES)
_SEEDS = 40

EXPERIMENT = Experiment(
    name="open_claims",
    summary="Three claims that were left open, with forty fresh seeds.",
    source=CLAIMS.source,
    space=CLAIMS.space,
    designs=_DESIGNS,
    repeats=_SEEDS,
    sampled=False,
    trials=_SEEDS * len(_DESIGNS),
    epochs=CLAIMS.epochs,
    # Another seed than that of `claims`, so that no network is judged twice.
    seed=1,
)

"""Three claims that `claims` left open after twenty seeds, again, with forty fresh seeds.

    python -m search.run --experiment open_claims --until-decided

Of the open claims C4, C5 and C8 cost the fewest trainings; they were chosen before any fresh seed
was trained. All three are judged once, after the last seed.
"""

from experiments import claims
from experiments.experiment import Experiment

_SEEDS = 40
CLAIMS = tuple(
    claim.model_copy(update={"looks": {_SEEDS: 1.0}})
    for claim in claims.CLAIMS
    if claim.id in ("C4", "C5", "C8")
)
_COMPARED = {
    name for claim in CLAIMS for one in claim.comparisons for name in (one.treatment, one.control)
}
_DESIGNS = tuple(design for design in claims.DESIGNS if design.name in _COMPARED)

EXPERIMENT = Experiment(
    name="open_claims",
    summary="Three claims that were left open, with forty fresh seeds.",
    source=claims.EXPERIMENT.source,
    space=claims.EXPERIMENT.space,
    designs=_DESIGNS,
    claims=CLAIMS,
    repeats=_SEEDS,
    sampled=False,
    trials=_SEEDS * len(_DESIGNS),
    epochs=claims.EXPERIMENT.epochs,
    # Another seed than that of `claims`, so that no network is judged twice.
    seed=1,
)

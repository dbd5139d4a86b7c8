"""Claims of `claims` that its seeds left open, with fresh seeds and one look."""

from experiments import claims
from experiments.experiment import Experiment


def again(name: str, ids: tuple[str, ...], seeds: int, seed: int) -> Experiment:
    """An experiment that judges claims once, after seeds that no other experiment has.

    Args:
        name: of the experiment.
        ids: of the claims.
        seeds: of each design.
        seed: of the study; each such experiment has its own, so that no network is judged twice.
    """
    asked = tuple(
        claim.model_copy(update={"looks": {seeds: 1.0}})
        for claim in claims.CLAIMS
        if claim.id in ids
    )
    compared = {
        name
        for claim in asked
        for one in claim.comparisons
        for name in (one.treatment, one.control)
    }
    designs = tuple(design for design in claims.DESIGNS if design.name in compared)
    return Experiment(
        name=name,
        summary=f"{', '.join(ids)}, left open by other seeds, with {seeds} fresh seeds.",
        source=claims.EXPERIMENT.source,
        space=claims.EXPERIMENT.space,
        designs=designs,
        claims=asked,
        repeats=seeds,
        sampled=False,
        trials=seeds * len(designs),
        epochs=claims.EXPERIMENT.epochs,
        seed=seed,
    )

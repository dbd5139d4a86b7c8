"""What a promotion is about to do, said before anything is trained."""

import math

from models.cost import epoch_seconds
from search.promote.schedule import Schedule
from search.serving.registry import Registry


def plan_lines(schedule: Schedule, registry: Registry, openings: int) -> list[str]:
    """Who is promoted to what: the finalists, what is in service, how often the test was opened.

    Args:
        schedule: of the re-test.
        registry: of the model.
        openings: of the test period of these data so far.
    """
    unit = schedule.plan.series.unit
    lines = [f"Promotion of study {schedule.of} to model {registry.name}"]
    for who in schedule.candidates:
        found = "" if who.searched is None else f", RMSE {who.searched:.4g} {unit} in the search"
        role = "reference" if who.reference else "finalist"
        lines.append(
            f"  {role}: {who.name}, units {'/'.join(map(str, who.parameters.units))}{found}"
        )
    champion = registry.champion()
    in_service = "nothing yet" if champion is None else f"version {champion}"
    return [
        *lines,
        f"In service: {in_service}",
        f"Openings of the test period of these data so far: {openings}",
    ]


def work_lines(schedule: Schedule, workers: int) -> list[str]:
    """What the re-test does, and how long it takes with so many `workers`."""
    trained, seeds, folds = schedule.plan.prepared.train, schedule.seeds, schedule.folds
    finalists, references = (
        [
            who.parameters.epochs * epoch_seconds(who.parameters, *trained.x.shape)
            for who in schedule.candidates
            if who.reference is reference
        ]
        for reference in (False, True)
    )
    refits = seeds * max(finalists)
    cells = seeds * folds
    least = sum(finalists) * folds + sum(references) + refits
    most = (sum(finalists) + sum(references)) * cells + refits
    minutes = [math.ceil(seconds / workers / 60) for seconds in (least, most)]
    span = " to ".join(str(each) for each in sorted(set(minutes)))
    return [
        f"Each is trained again with {seeds} fresh seed(s) on {folds} rolling origin(s). "
        "A candidate that is significantly worse after a seed is dropped, and so is a reference "
        "that is worse than every finalist on the last fold. The winner is then trained on train "
        "and validation, once a seed; the mean of these networks, blended with the strongest "
        "baseline if the re-test says so, is what may be promoted.",
        f"{span} minute(s) on {workers} worker(s), depending on how early candidates are "
        "dropped, on cores like those of docs/performance.md; to resume, run the command again",
    ]

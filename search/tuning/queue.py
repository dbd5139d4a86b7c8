"""What waits in a study to be asked for: fixed designs and retries."""

from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

from experiments.experiment import Experiment
from experiments.lstm_space import to_flat
from experiments.space import Value
from search.common.seeds import trial_seed


def waiting(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that nobody has asked for yet."""
    return study.get_trials(deepcopy=False, states=(TrialState.WAITING,))


def queue_designs(study: optuna.Study, experiment: Experiment, dropped: frozenset[str]) -> None:
    """Queue the fixed designs that are not there yet, each as often as the experiment repeats it.

    Args:
        study: of the experiment.
        experiment: whose designs.
        dropped: designs of which no further seed is queued.
    """
    queue_repeats(
        study,
        experiment,
        [
            (design.name, repeat)
            for repeat in range(experiment.repeats)
            for design in experiment.designs
            if design.name not in dropped
        ],
    )


def queue_repeats(
    study: optuna.Study, experiment: Experiment, wanted: Sequence[tuple[str, int]]
) -> None:
    """Queue designs, each with one of its seeds, in this order; those that are there are left.

    Args:
        study: of the experiment.
        experiment: whose designs.
        wanted: name and repeat, counted from 0, of each.
    """
    queued = {
        (trial.user_attrs.get("design"), trial.user_attrs.get("repeat"))
        for trial in study.get_trials(deepcopy=False)
    }
    designs = {design.name: design.parameters for design in experiment.designs}
    for name, repeat in wanted:
        if (name, repeat) in queued:
            continue
        flat = to_flat(designs[name], experiment.space)
        attributes = {"design": name, "repeat": repeat, "planned": flat}
        if experiment.rolling:
            # What is tested again is trained as the search trained it.
            attributes["epochs"] = designs[name].epochs
        elif experiment.own_epochs:
            attributes["epochs"] = min(designs[name].epochs, experiment.epochs)
        study.enqueue_trial(flat, user_attrs=attributes)


def queue_retry(
    study: optuna.Study,
    trial: FrozenTrial,
    flat: dict[str, Value],
    used: int,
    nodes_lost: int,
    seed: int,
) -> bool:
    """Queue another attempt of `trial`; False if there is one already.

    Args:
        study: of the trial.
        trial: that has failed.
        flat: its point.
        used: retries that it has used up by now.
        nodes_lost: that it was trained on, by now.
        seed: of the attempt, where it wrote none: a crash may come before it does.
    """
    if any(
        other.user_attrs.get("retry_of") == trial.number
        for other in study.get_trials(deepcopy=False)
    ):
        return False
    kept = {
        name: trial.user_attrs[name]
        for name in ("design", "repeat", "proposal", "epochs")
        if name in trial.user_attrs
    }
    study.enqueue_trial(
        flat,
        user_attrs=kept
        | {
            "planned": flat,
            "seed": trial.user_attrs.get("seed", seed),
            "retry_of": trial.number,
            "attempt": int(trial.user_attrs.get("attempt", 1)) + 1,
            "retries_used": used,
            "nodes_lost": nodes_lost,
        },
    )
    return True


def seed_of(trial: optuna.Trial | FrozenTrial, experiment: Experiment, seed: int) -> int:
    """The seed of a trial of the study with that `seed`; of designs, one for each repeat."""
    paired = not experiment.sampled
    return trial_seed(seed, trial.user_attrs["repeat"] if paired else trial.number)

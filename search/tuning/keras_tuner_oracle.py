"""KerasTuner's oracles in the sampler's place: told of every trial, asked for the next point.

Importing this imports TensorFlow. An oracle is rebuilt at every start from the trials in the study
database; what it draws follows from them and from a seed, as with Optuna's samplers.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import tensorflow as tf
from keras_tuner.engine.trial import Trial, TrialStatus
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's own

from experiments.space import FlatParameters, Space
from search.common.records import State, TrialRecord
from search.tuning.keras_tuner_space import suggest, values_of
from search.tuning.oracle import Proposal

OBJECTIVE = "val_mse"
# What Hyperband decides when it proposes, and cannot be told from how trials ended.
_BRACKETS = ("brackets", "current_bracket", "current_iteration")

# Its Gaussian process says so at nearly every fit; see `samplers` for why not in a scope.
warnings.filterwarnings("ignore", category=ConvergenceWarning, module="sklearn.gaussian_process")


class KerasTunerOracle:
    """One oracle, as `search.tuning.study` wants it.

    Attributes:
        name: "random", "bayesian" or "hyperband".
    """

    def __init__(self, name: str, space: Space, epochs: int, directory: Path) -> None:
        """Make an oracle that knows no trial yet.

        Args:
            name: of the rule.
            space: from which points are drawn.
            epochs: most epochs of a trial.
            directory: of the project; the oracle writes what it knows there.
        """
        self.name = name
        self._space = space
        self._directory = directory
        self._oracle = _make(name, space, epochs)
        self._oracle.verbose = 0
        self._oracle._set_project_dir(directory.parent, directory.name)

    @property
    def state(self) -> dict[str, Any]:
        """What `restore` needs beside the trials; plain values, empty for most oracles."""
        whole = self._oracle.get_state()
        return {key: whole[key] for key in _BRACKETS if key in whole}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up `state` once every trial of the study is known.

        A proposal of which no trial came, because the process ended in between, is left out.
        """
        if not state:
            return
        brackets = [
            bracket
            | {
                "rounds": [
                    [one for one in taken if one["id"] in self._oracle.trials]
                    for taken in bracket["rounds"]
                ]
            }
            for bracket in state["brackets"]
        ]
        self._oracle.set_state(self._oracle.get_state() | state | {"brackets": brackets})

    def begin(self, name: str, flat: FlatParameters) -> None:
        """Know of a trial called `name` at the point `flat`; it runs, or waits to run."""
        oracle = self._oracle
        if name in oracle.trials:
            return
        hyperparameters = oracle.get_space()
        hyperparameters.values = values_of(flat, self._space)
        trial = Trial(hyperparameters, trial_id=name)
        oracle.trials[name] = oracle.ongoing_trials[name] = trial
        oracle.start_order.append(name)

    def end(self, record: TrialRecord) -> None:
        """Learn how a trial ended; a fixed design counts as any other."""
        if record.parameters is None:
            return  # it was never wholly drawn
        name = record.proposal or f"design-{record.number}"
        self.begin(name, record.flat)
        oracle = self._oracle
        if name in oracle.end_order:
            return
        trial = oracle.trials[name]
        with self._writing():
            if record.state is State.COMPLETE and record.result is not None:
                metrics = {OBJECTIVE: record.result.objective}
                oracle.update_trial(name, metrics, step=record.result.best_epoch)
                trial.status = TrialStatus.COMPLETED
            else:
                trial.status = TrialStatus.FAILED
                trial.message = str(record.state)
                if record.failure is not None:
                    trial.message = f"{record.failure.cause}: {record.failure.message}"
            oracle.end_trial(trial)

    def propose(self, seed: int) -> Proposal | None:
        """Draw the next point, or None if there is none before a running trial ends, or ever.

        Args:
            seed: of this one draw.
        """
        oracle = self._oracle
        self._reseed(seed)
        # On one thread: its matrices are small, and the cores are the workers'.
        with self._writing(), threadpool_limits(1):
            # Every draw is another tuner's: the same one would be given its running trial again.
            trial = oracle.create_trial(f"draw-{len(oracle.trials)}")
        if trial.status != TrialStatus.RUNNING:
            return None
        values = trial.hyperparameters.values
        flat = suggest(trial.hyperparameters, self._space)
        # The oracle is to learn from the point that is trained, not from one beyond the bounds.
        values |= values_of(flat, self._space)
        return Proposal(
            name=trial.trial_id,
            flat=flat,
            epochs=values.get("tuner/epochs"),
            continues=values.get("tuner/trial_id"),
        )

    def _reseed(self, seed: int) -> None:
        oracle = self._oracle
        oracle.seed = oracle._seed_state = seed
        if isinstance(oracle, keras_tuner.oracles.BayesianOptimizationOracle):
            # Neither is among what KerasTuner itself keeps, so its own resume draws other points.
            oracle._random_state = np.random.RandomState(seed)
            oracle.gpr.set_params(random_state=seed)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Make a failure to write the project directory an `OSError`, as of any other file."""
        try:
            yield
        except tf.errors.OpError as error:
            raise OSError(
                f"{self._directory} cannot be written: {error.message.splitlines()[0]}"
            ) from error


def _make(name: str, space: Space, epochs: int) -> Any:
    hyperparameters = keras_tuner.HyperParameters()
    suggest(hyperparameters, space)
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"),
        "hyperparameters": hyperparameters,
        "allow_new_entries": False,
        "tune_new_entries": False,
        # Of no draw, but 0 or none would be replaced by a random one.
        "seed": 1,
        # Whether a search of failing trials goes on is the coordinator's decision.
        "max_consecutive_failed_trials": None,
    }
    oracles = keras_tuner.oracles
    makers: dict[str, Callable[[], Any]] = {
        "random": lambda: oracles.RandomSearchOracle(max_trials=None, **common),
        "bayesian": lambda: oracles.BayesianOptimizationOracle(max_trials=None, **common),
        # Iterations follow one another until the study has its total.
        "hyperband": lambda: oracles.HyperbandOracle(
            max_epochs=epochs, hyperband_iterations=None, **common
        ),
    }
    return makers[name]()

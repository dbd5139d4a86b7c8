"""A contender: Optuna around Keras `fit`, in one process, as both libraries document it.

It has stock LSTM layers, all cores for each operation, early stopping by callback and no pruning.
"""

import itertools
from typing import Any

import keras
import optuna

from data_pipeline.windows import Prepared
from experiments.lstm_space import to_flat
from models.cost import epoch_flops
from models.parameters import TrialParameters
from search.benchmark.job import Job, say_epoch
from search.engine.plan import make_plan
from search.tuning.optuna_space import suggest


def build(parameters: TrialParameters, window: int, features: int, horizon: int) -> keras.Model:
    """The stacked LSTM of `models.build`, with stock layers and Keras' own compilation."""
    layers: list[Any] = [keras.Input((window, features))]
    pairs = zip(parameters.units, parameters.dropout, strict=True)
    for index, (units, rate) in enumerate(pairs, start=1):
        regularizer = keras.regularizers.L2(parameters.l2) if parameters.l2 else None
        layers += [
            keras.layers.LSTM(
                units,
                return_sequences=index < parameters.layers,
                kernel_regularizer=regularizer,
            ),
            keras.layers.Dropout(rate),
        ]
    model = keras.Sequential([*layers, keras.layers.Dense(horizon)])
    optimizer = keras.optimizers.Adam(parameters.learning_rate)
    model.compile(optimizer=optimizer, loss="mse", metrics=["mse"])
    return model


class SayEpochs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
    """Reports every epoch's validation error to the benchmark."""

    def __init__(self, trial: int | str, flops: float) -> None:
        super().__init__()
        self.trial, self.flops = trial, flops

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report `epoch`, which Keras counts from 0."""
        say_epoch(self.trial, epoch + 1, float(logs["val_mse"]), self.flops)


def train(parameters: TrialParameters, prepared: Prepared, trial: int | str, seed: int) -> float:
    """Train one network with Keras `fit`; return its lowest validation MSE, scaled."""
    train_windows, validation = prepared.train, prepared.held_out
    window, features = train_windows.x.shape[1:]
    keras.utils.set_random_seed(seed)
    model = build(parameters, window, features, train_windows.y.shape[1])
    flops = epoch_flops(parameters, len(train_windows), window, features)
    history = model.fit(
        train_windows.x,
        train_windows.y,
        validation_data=(validation.x, validation.y),
        batch_size=parameters.batch_size,
        epochs=parameters.epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.EarlyStopping(
                "val_mse", mode="min", patience=parameters.patience, restore_best_weights=True
            ),
            SayEpochs(trial, flops),
        ],
    )
    return float(min(history.history["val_mse"]))


def main() -> None:
    """Train the job's points, or search until stopped."""
    job = Job.from_command_line()
    experiment = job.adapted()
    prepared = make_plan(experiment).prepared
    if job.points is not None:
        for number, point in enumerate(job.points):
            train(job.parameters(point), prepared, number, job.seed + number)
        return

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=job.seed))
    for design in experiment.designs:
        study.enqueue_trial(to_flat(design.parameters))

    def objective(trial: optuna.Trial) -> float:
        flat = suggest(trial, experiment.space)
        return train(job.parameters(flat), prepared, trial.number, job.seed + trial.number)

    for _ in itertools.count() if job.trials is None else range(job.trials):
        study.optimize(objective, n_trials=1)


if __name__ == "__main__":
    main()

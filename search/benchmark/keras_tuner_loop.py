"""Contenders: KerasTuner's Hyperband and BayesianOptimization over stock Keras layers."""

import sys
from typing import Any

import keras
import keras_tuner

from experiments.space import Space
from models.cost import epoch_flops
from models.parameters import TrialParameters
from search.benchmark.job import Job
from search.benchmark.stock import SayEpochs, build
from search.engine.plan import make_plan
from search.tuning.keras_tuner_space import suggest

MANY_TRIALS = 10_000


class StackedLstm(keras_tuner.HyperModel):  # type: ignore[misc]  # KerasTuner is untyped
    """Builds and fits a stock stacked LSTM; batch size and patience are searched, too."""

    def __init__(self, job: Job, space: Space, shape: tuple[int, int, int], windows: int) -> None:
        super().__init__()
        self.job, self.space, self.shape, self.windows = job, space, shape, windows

    def _parameters(self, hp: Any) -> TrialParameters:
        return self.job.parameters(suggest(hp, self.space))

    def build(self, hp: Any) -> keras.Model:
        """A compiled model for a point."""
        return build(self._parameters(hp), *self.shape)

    def fit(self, hp: Any, model: keras.Model, *data: Any, **options: Any) -> Any:
        """Train the model with the point's batch size and patience."""
        parameters = self._parameters(hp)
        flops = epoch_flops(parameters, self.windows, *self.shape[:2])
        name = "-".join(str(value) for value in hp.values.values())
        callbacks = [
            *options.pop("callbacks", []),
            keras.callbacks.EarlyStopping("val_mse", mode="min", patience=parameters.patience),
            SayEpochs(name, flops),
        ]
        own = {"batch_size": parameters.batch_size, "callbacks": callbacks}
        return model.fit(*data, **options | own)


class _WithoutTensorBoard:
    """Replaces TensorBoard: KerasTuner imports it in every trial but does not install it."""

    def _configure_tensorboard_dir(self, *_: object) -> None:
        return None


class _Hyperband(_WithoutTensorBoard, keras_tuner.Hyperband):  # type: ignore[misc]
    pass


class _Bayesian(_WithoutTensorBoard, keras_tuner.BayesianOptimization):  # type: ignore[misc]
    pass


def main() -> None:
    """Search until stopped; the second argument names the tuner."""
    job = Job.model_validate_json(sys.argv[2])
    experiment = job.adapted()
    prepared = make_plan(experiment).prepared
    train, validation = prepared.train, prepared.held_out
    window, features = train.x.shape[1:]
    model = StackedLstm(job, experiment.space, (window, features, train.y.shape[1]), len(train))
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective("val_mse", "min"),
        "seed": job.seed,
        "directory": str(job.folder),
        "project_name": sys.argv[1],
        "overwrite": True,
    }
    options: dict[str, Any] = {}
    if sys.argv[1] == "hyperband":
        tuner = _Hyperband(model, max_epochs=job.epochs, hyperband_iterations=MANY_TRIALS, **common)
    else:
        tuner = _Bayesian(model, max_trials=MANY_TRIALS, **common)
        options["epochs"] = job.epochs
    tuner.search(
        train.x, train.y, validation_data=(validation.x, validation.y), verbose=0, **options
    )


if __name__ == "__main__":
    main()

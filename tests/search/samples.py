"""Small values of the search for tests: results, records, facts, experiments, a synthetic error."""

import datetime as dt
import math
from dataclasses import replace

from experiments.experiment import Design, Experiment
from experiments.lstm_space import stacked_lstm_space
from experiments.space import Value
from models.parameters import TrialParameters
from search.common.records import Baseline, Failure, State, StudyFacts, TrialRecord, TrialResult

EPOCHS = 20
BEGAN = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def parameters(units: tuple[int, ...] = (4,), l2: float = 1e-4) -> TrialParameters:
    return TrialParameters(
        units=units,
        dropout=(0.1,) * len(units),
        l2=l2,
        learning_rate=1e-2,
        batch_size=64,
        patience=6,
        epochs=EPOCHS,
    )


SMALL = Design(name="small", parameters=parameters((4,)))
DEEP = Design(name="deep", parameters=parameters((8, 6, 4), l2=0.0))


def experiment(
    designs: tuple[Design, ...] = (SMALL, DEEP),
    trials: int = 8,
    sampled: bool = True,
    repeats: int = 1,
) -> Experiment:
    return Experiment(
        name="tiny",
        summary="Tiny networks for tests.",
        space=stacked_lstm_space(units=(2, 16)),
        designs=designs,
        repeats=repeats,
        sampled=sampled,
        trials=trials,
        epochs=EPOCHS,
    )


def of_two_points() -> Experiment:
    """Without designs, over a space that holds no more than that."""
    space = stacked_lstm_space(
        units=(4, 4),
        layers=(1, 1),
        l2=(1e-3, 1e-3),
        dropout=(0.0, 0.0),
        learning_rate=(1e-3, 1e-3),
        patience=(5, 5),
        batch_sizes=(32,),
    )
    return experiment(designs=()).model_copy(update={"space": space})


def error_of(flat: dict[str, Value]) -> float:
    """A smooth error over the space, so that a sampler has something to learn."""
    rate = math.log10(float(flat["learning_rate"]))
    size = math.log2(float(flat["units_1"]))
    return 0.01 + 0.002 * (rate + 2.5) ** 2 + 0.001 * (size - 3) ** 2 + 0.001 * int(flat["layers"])


def result(
    objective: float = 0.02, stopped_by: str = "patience", target_range: float = 1000.0
) -> TrialResult:
    rmse = target_range * math.sqrt(objective)
    scores = {
        "rmse": rmse,
        "mae": 0.8 * rmse,
        "mase": 0.9,
        "r2": 0.7,
        "peak_error": 1.1 * rmse,
        "peak_bias": -0.3 * rmse,
        "amplitude_ratio": 0.9,
        "roughness_ratio": 0.8,
    }
    return TrialResult(
        objective=objective,
        train_objective=0.8 * objective,
        history={
            "loss": [3 * objective, 2 * objective, 1.5 * objective],
            "val_loss": [2.2 * objective, 1.1 * objective, 1.3 * objective],
            "val_mse": [2 * objective, objective, 1.2 * objective],
            "learning_rate": [1e-2, 1e-2, 5e-3],
        },
        best_epoch=2,
        epochs=3,
        stopped_by=stopped_by,
        train=scores | {"rmse": 0.9 * rmse},
        held_out=scores,
        parameter_count=123,
        seconds=2.0,
        seconds_per_epoch=0.6,
        device="cpu",
        device_name="a processor",
        overhead_seconds=0.5,
    )


def record(
    number: int = 0,
    outcome: TrialResult | Failure | None = None,
    state: State | None = None,
    design: str = "",
    **changes: object,
) -> TrialRecord:
    """An attempt that ended with `outcome`, or runs if that is None."""
    if state is None:
        state = State.RUNNING
        if isinstance(outcome, TrialResult):
            state = State.PRUNED if outcome.stopped_by == "pruner" else State.COMPLETE
        elif isinstance(outcome, Failure):
            state = State.FAILED
    made = TrialRecord(
        number=number,
        state=state,
        flat={
            "layers": 1,
            "units_1": 4 + number,
            "dropout_1": 0.1,
            "use_l2": True,
            "l2": 1e-4,
            "learning_rate": 1e-2,
            "batch_size": 64,
            "patience": 6,
        },
        parameters=parameters((4 + number,)),
        seed=number,
        design=design,
        result=outcome if isinstance(outcome, TrialResult) else None,
        failure=outcome if isinstance(outcome, Failure) else None,
        started=BEGAN,
        ended=None if outcome is None else BEGAN + dt.timedelta(seconds=3 + number),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def baseline(objective: float, target_range: float = 1000.0) -> Baseline:
    return Baseline(objective, result(objective, target_range=target_range).held_out)


def facts(total: int = 4, name: str = "tiny", identity: str = "first") -> StudyFacts:
    return StudyFacts(
        name=name,
        identity=identity,
        experiment="tiny",
        summary="Tiny networks for tests.",
        seed=7,
        total=total,
        contract={"data": "0123456789abcdef" * 4, "framing": {"window": 24, "horizon": 2}},
        unit="MW",
        baselines={
            "same_hour_last_week": baseline(0.04),
            "ridge_by_hour": baseline(0.03),
            "last_value": baseline(0.09),
        },
        data={"name": "series", "rows": 1000},
        versions={"keras": "3"},
        commit="0" * 40,
        log_names=("units_1", "l2", "learning_rate"),
    )

"""The contents of a run: tags, parameters, metrics by epoch, figures, files.

Metric names: docs/metrics.md.
"""

import datetime as dt
import json
import math
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from search import figures
from search.common.drawing import OPTUNA
from search.common.records import StudyFacts, TrialRecord
from search.common.spool import FORECASTS, MODEL, folder, read_forecasts
from search.results.summary import final_metrics
from search.tracking.study_figures import trial_figures

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_METRICS_A_CALL = 900
# These are parameters of every trial, whether its study searches them or not.
_ALWAYS = ("recurrent_dropout", "epochs", "ema_epochs", "target", "inputs", "schedule")
# These fields of the framing are parameters of every trial.
_FRAMING = ("window", "horizon", "scaler_rows", "cycle_lengths")


def common_tags(facts: StudyFacts) -> dict[str, str]:
    """Tags that the run of a study and those of its trials share."""
    versions = {f"version.{name}": version for name, version in facts.versions.items()}
    commit = {"mlflow.source.git.commit": facts.commit} if facts.commit else {}
    # Use the identity, not the name: another database may hold a study with the same name.
    study = {"search.study": facts.name, "search.study_id": facts.identity}
    drawn = {"tuner": str(facts.contract.get("tuner", OPTUNA))}
    if "sampler" in facts.contract:
        drawn["sampler"] = str(facts.contract["sampler"])
    source = {"unit": facts.unit, "mlflow.source.name": "search.run"}
    return versions | commit | study | drawn | source


def log_params(client: "MlflowClient", run_id: str, params: dict[str, object]) -> None:
    """Log parameters by name; idempotent."""
    from mlflow.entities import Param

    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])


def log_data_set(client: "MlflowClient", run_id: str, facts: StudyFacts) -> None:
    """Log the data set of the run; idempotent."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = facts.data
    fingerprint = str(facts.contract.get("data", ""))
    client.log_inputs(
        run_id,
        [
            DatasetInput(
                Dataset(
                    name=str(data.get("name", "series")),
                    digest=fingerprint[:36],
                    source_type="local",
                    source=json.dumps({"name": data.get("name"), "sha256": fingerprint}),
                    profile=json.dumps({"rows": data.get("rows")}),
                ),
                tags=[InputTag("mlflow.data.context", "train and validation")],
            )
        ],
    )


def log_point(client: "MlflowClient", run_id: str, record: TrialRecord, facts: StudyFacts) -> None:
    """Log what is known before training: parameters, seed and data set; idempotent."""
    if record.parameters is not None:
        described: dict[str, object] = dict(record.flat)
        described |= {
            "units": "-".join(map(str, record.parameters.units)),
            "l2": record.parameters.l2,
            **{name: getattr(record.parameters, name) for name in _ALWAYS},
        }
        framing = facts.contract.get("framing", {})
        if record.framing is not None:
            framing = record.framing.model_dump(mode="json")
        if isinstance(framing, dict):
            described |= {name: framing[name] for name in _FRAMING if name in framing}
            if "window" in framing:  # in hours, also where it is all of the window
                described["lookback"] = record.parameters.lookback or framing["window"]
        log_params(client, run_id, described | {"seed": record.seed})
    log_data_set(client, run_id, facts)


def log_result(client: "MlflowClient", run_id: str, record: TrialRecord, facts: StudyFacts) -> None:
    """Log the numbers of a result: curves and final metrics; idempotent.

    Args:
        client: client of the store.
        run_id: id of the trial's run.
        record: an attempt with a result.
        facts: facts of its study.
    """
    from mlflow.entities import Metric, RunTag

    assert record.result is not None
    ended = milliseconds(record.ended)
    began = ended - int(1000 * record.result.seconds)
    metrics = []
    for name, values in record.result.history.items():
        pace = (ended - began) / max(len(values), 1)
        for epoch, value in enumerate(values, start=1):
            if math.isfinite(value):
                metrics.append(Metric(name, value, began + int(epoch * pace), epoch))
    final = final_metrics(record, facts)
    metrics += [Metric(name, value, ended, 0) for name, value in final.items()]
    for start in range(0, len(metrics), _METRICS_A_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + _METRICS_A_CALL])
    tags = {
        "device": record.result.device,
        "device_name": record.result.device_name,
        **({"backend": record.result.backend} if record.result.backend else {}),
        "stopped_by": record.result.stopped_by,
    }
    if record.result.repeat_of is not None:
        tags["repeat_of"] = str(record.result.repeat_of)
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])


def log_files(
    client: "MlflowClient", run_id: str, record: TrialRecord, facts: StudyFacts, spool: Path
) -> None:
    """Log figures, network and forecasts of a trial; idempotent.

    Args:
        client: client of the store.
        run_id: id of the trial's run.
        record: an attempt with a result.
        facts: facts of its study.
        spool: folder of the study's files that wait for delivery.
    """
    place = folder(spool, record.number)
    drawn = trial_figures(record, read_forecasts(place), facts.unit)
    log_figures(client, run_id, drawn)
    for file, kept_as in ((MODEL, "model"), (FORECASTS, "forecasts")):
        if (place / file).exists():
            client.log_artifact(run_id, str(place / file), kept_as)


def log_figures(client: "MlflowClient", run_id: str, drawn: Mapping[str, Figure]) -> None:
    """Log figures by name as PNG files."""
    with tempfile.TemporaryDirectory() as place:
        for name, figure in drawn.items():
            (Path(place) / f"{name}.png").write_bytes(figures.png(figure))
        client.log_artifacts(run_id, place, "figures")


def milliseconds(moment: dt.datetime | None) -> int:
    """A moment in milliseconds since 1970, as MLflow counts; None means now."""
    return int(1000 * (moment.timestamp() if moment is not None else time.time()))

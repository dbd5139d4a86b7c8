"""What a study looks like in MLflow: one run of its own and one for every trial attempt.

Metric names: docs/metrics.md.
"""

import datetime as dt
import json
import math
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from matplotlib.figure import Figure

from models.regime import Fit
from search import figures
from search.common.drawing import OPTUNA
from search.common.records import State, StudyFacts, TrialRecord
from search.common.spool import FORECASTS, MODEL, discard, folder, read_forecasts
from search.results.summary import (
    StudySummary,
    final_metrics,
    fit_metrics,
    fits,
    trial_name,
    trials_table,
)
from search.tracking.client import be_quiet, connect, create_store
from search.tracking.descriptions import description, trial_description
from search.tracking.study_figures import study_figures, trial_figures
from search.tuning.postgres_lock import is_postgresql, tables_made_alone

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_STATUS = {
    State.RUNNING: "RUNNING",
    State.COMPLETE: "FINISHED",
    State.PRUNED: "KILLED",
    State.FAILED: "FAILED",
    State.INTERRUPTED: "KILLED",
}
_METRICS_A_CALL = 900
# What of the framing is a parameter of every trial.
_FRAMING = ("window", "horizon", "scaler_rows", "cycle_lengths")


class StudyRuns:
    """The runs of one study; every method may be called again after it failed."""

    def __init__(
        self,
        tracking_uri: str,
        artifacts: Path | None,
        schema_lock: Path,
        spool: Path,
        facts: StudyFacts,
    ) -> None:
        """Remember where; nothing is written yet.

        Args:
            tracking_uri: of the MLflow store.
            artifacts: folder for a local store's artifacts; None lets the server decide.
            schema_lock: file that guards the creation of a local store's schema.
            spool: folder of this study's files that wait for delivery.
            facts: of the study.
        """
        self._uri = tracking_uri
        self._artifacts = artifacts
        self._schema_lock = schema_lock
        self._spool = spool
        self._facts = facts
        self._began = int(1000 * time.time())
        self._client: MlflowClient | None = None
        self._experiment_id = ""
        self._parent_id = ""
        self._run_ids: dict[int, str] = {}
        self._run_starts: dict[int, int] = {}
        self._described: set[int] = set()
        self._delivered: set[int] = set()
        self._labels: dict[int, dict[str, str]] = {}
        # Runs of attempts that this process made, and whose end it was the one to write.
        self.made = 0
        self.ended = 0
        # Runs of attempts that the study does not have (any more).
        self.set_aside = 0

    def connect(self) -> None:
        """Reach the store, and find or make the study's own run."""
        be_quiet()
        from mlflow.exceptions import MlflowException

        with self._alone():
            if self._artifacts is not None:
                create_store(self._uri, self._artifacts)
            client = connect(self._uri)
            name = self._facts.experiment
            found = client.get_experiment_by_name(name)
            if found is None:
                location = None if self._artifacts is None else (self._artifacts / name).as_uri()
                try:
                    self._experiment_id = client.create_experiment(name, artifact_location=location)
                except MlflowException:
                    found = client.get_experiment_by_name(name)
                    if found is None:
                        raise
            if found is not None:
                self._experiment_id = found.experiment_id
            client.set_experiment_tag(
                self._experiment_id, "mlflow.note.content", self._facts.summary
            )
        self._client = client
        self.find()
        if not self._parent_id:
            self._parent_id = self._create_study_run(client)
        else:
            client.update_run(self._parent_id, status="RUNNING")
        self._describe_study(client)
        client.set_tag(self._parent_id, "total_trials", str(self._facts.total))

    def _alone(self) -> AbstractContextManager[object]:
        """Keep other processes from making tables meanwhile; a server sees to its own."""
        alone = ExitStack()
        if self._artifacts is not None:
            alone.enter_context(FileLock(self._schema_lock))
        if is_postgresql(self._uri):
            alone.enter_context(tables_made_alone(self._uri))
        return alone

    def find(self) -> None:
        """Learn which runs there are already; the tags make delivery happen once."""
        client = self._client
        if client is None:
            return
        token = None
        while True:
            page = client.search_runs(
                [self._experiment_id],
                filter_string=f"tags.`search.study_id` = '{self._facts.identity}'",
                max_results=1000,
                page_token=token,
            )
            for run in page:
                kind, trial = (run.data.tags.get(f"search.{key}") for key in ("kind", "trial"))
                if kind == "study":
                    self._parent_id = run.info.run_id
                elif trial is not None:
                    self._run_ids[int(trial)] = run.info.run_id
                    self._run_starts[int(trial)] = run.info.start_time
                    self._labels[int(trial)] = _label(run.data.tags, run.data.metrics)
                    if "search.delivered" in run.data.tags:
                        self._delivered.add(int(trial))
            token = page.token
            if not token:
                return

    def _create_study_run(self, client: "MlflowClient") -> str:
        facts = self._facts
        run = client.create_run(
            self._experiment_id,
            start_time=self._began,
            run_name=facts.name,
            tags={"search.kind": "study"} | self._common_tags(),
        )
        run_id: str = run.info.run_id
        return run_id

    def _describe_study(self, client: "MlflowClient") -> None:
        """Log what is the same for all trials; idempotent."""
        facts, run_id = self._facts, self._parent_id
        self._log_params(client, run_id, {"seed": facts.seed})
        self._log_data_set(client, run_id)
        client.log_dict(run_id, facts.data, "data_report.json")
        client.log_dict(run_id, facts.contract, "contract.json")

    def _common_tags(self) -> dict[str, str]:
        facts = self._facts
        versions = {f"version.{name}": version for name, version in facts.versions.items()}
        commit = {"mlflow.source.git.commit": facts.commit} if facts.commit else {}
        # By its identity, not its name: another database may hold another study of that name.
        study = {"search.study": facts.name, "search.study_id": facts.identity}
        drawn = {"tuner": str(facts.contract.get("tuner", OPTUNA))}
        if "sampler" in facts.contract:
            drawn["sampler"] = str(facts.contract["sampler"])
        source = {"unit": facts.unit, "mlflow.source.name": "search.run"}
        return versions | commit | study | drawn | source

    def _log_data_set(self, client: "MlflowClient", run_id: str) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        data = self._facts.data
        fingerprint = str(self._facts.contract.get("data", ""))
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

    def keep_only(self, records: Mapping[int, TrialRecord]) -> None:
        """Set runs aside that are of no attempt of the study, as after an older copy of it is back.

        Args:
            records: all attempts of the study, by number.
        """
        client = self._client
        assert client is not None  # connecting comes first
        for number, run_id in list(self._run_ids.items()):
            record = records.get(number)
            if record is not None and _same_start(self._run_starts.get(number), record):
                continue
            client.set_tag(run_id, "search.superseded", str(number))
            client.set_tag(run_id, "search.kind", "superseded")
            client.update_run(run_id, name=f"superseded trial {number}")
            # The last write: until then the next start finds it again.
            client.delete_tag(run_id, "search.trial")
            for known in (self._run_ids, self._run_starts, self._labels):
                known.pop(number, None)
            self._delivered.discard(number)
            self.set_aside += 1

    def has(self, record: TrialRecord) -> bool:
        """True if the end of an attempt is written, its files with it."""
        return record.number in self._delivered

    def write_trial(self, record: TrialRecord) -> None:
        """Write that an attempt runs, or how it ended."""
        self.write_numbers(record)
        if record.finished:
            self.write_files(record)

    def write_numbers(self, record: TrialRecord) -> None:
        """Write an attempt without its figures and files: after an end, `write_files` follows."""
        client = self._client
        assert client is not None  # connecting comes first
        if record.number in self._delivered:
            # Left over by an end just after the last write.
            discard(self._spool, record.number)
            return
        run_id = self._run_ids.get(record.number)
        if run_id is None:
            run_id = self._create_trial_run(client, record)
            self._run_ids[record.number] = run_id
            self.made += 1
        if record.number not in self._described:
            # Again for a run that an earlier coordinator made: it may have ended just after that.
            self._describe(client, run_id, record)
            self._described.add(record.number)
        if not record.finished:
            return
        if record.result is not None:
            self._log_result(client, run_id, record)
        if record.failure is not None:
            client.set_tag(run_id, "failure", f"{record.failure.cause}: {record.failure.message}")
            if record.failure.traceback:
                client.log_text(run_id, record.failure.traceback, "traceback.txt")
        client.set_terminated(run_id, _STATUS[record.state], end_time=_milliseconds(record.ended))
        client.set_tag(run_id, "mlflow.note.content", trial_description(record, self._facts))

    def write_files(self, record: TrialRecord) -> None:
        """Write figures, model and forecasts of an attempt whose end is written."""
        client = self._client
        assert client is not None  # connecting comes first
        if record.number in self._delivered:
            return
        run_id = self._run_ids[record.number]
        if record.result is not None:
            self._log_files(client, run_id, record)
        # The last write: after a kill before it, the next start delivers again, to the same run.
        client.set_tag(run_id, "search.delivered", "yes")
        self._delivered.add(record.number)
        self.ended += 1
        discard(self._spool, record.number)

    def _create_trial_run(self, client: "MlflowClient", record: TrialRecord) -> str:
        tags = {
            "mlflow.parentRunId": self._parent_id,
            "search.trial": str(record.number),
            "search.kind": "trial",
            "design": record.design or "sampled",
            "attempt": str(record.attempt),
        } | self._common_tags()
        if record.retry_of is not None:
            tags["retry_of"] = str(record.retry_of)
        run = client.create_run(
            self._experiment_id,
            start_time=_milliseconds(record.started),
            run_name=trial_name(record),
            tags=tags,
        )
        run_id: str = run.info.run_id
        return run_id

    def _describe(self, client: "MlflowClient", run_id: str, record: TrialRecord) -> None:
        """Log what is known before training: parameters, seed and data set; idempotent."""
        if record.parameters is not None:
            described: dict[str, object] = dict(record.flat)
            described |= {
                "units": "-".join(map(str, record.parameters.units)),
                "l2": record.parameters.l2,
                "recurrent_dropout": record.parameters.recurrent_dropout,
                "epochs": record.parameters.epochs,
                "ema_epochs": record.parameters.ema_epochs,
            }
            framing = self._facts.contract.get("framing", {})
            if record.framing is not None:
                framing = record.framing.model_dump(mode="json")
            if isinstance(framing, dict):
                described |= {name: framing[name] for name in _FRAMING if name in framing}
            self._log_params(client, run_id, described | {"seed": record.seed})
        self._log_data_set(client, run_id)

    def _log_params(self, client: "MlflowClient", run_id: str, params: dict[str, object]) -> None:
        from mlflow.entities import Param

        client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])

    def _log_result(self, client: "MlflowClient", run_id: str, record: TrialRecord) -> None:
        from mlflow.entities import Metric, RunTag

        assert record.result is not None
        ended = _milliseconds(record.ended)
        began = ended - int(1000 * record.result.seconds)
        metrics = []
        for name, values in record.result.history.items():
            pace = (ended - began) / max(len(values), 1)
            for epoch, value in enumerate(values, start=1):
                if math.isfinite(value):
                    metrics.append(Metric(name, value, began + int(epoch * pace), epoch))
        final = final_metrics(record, self._facts)
        metrics += [Metric(name, value, ended, 0) for name, value in final.items()]
        for start in range(0, len(metrics), _METRICS_A_CALL):
            client.log_batch(run_id, metrics=metrics[start : start + _METRICS_A_CALL])
        tags = {
            "device": record.result.device,
            "device_name": record.result.device_name,
            "stopped_by": record.result.stopped_by,
        }
        if record.result.repeat_of is not None:
            tags["repeat_of"] = str(record.result.repeat_of)
        client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])

    def _log_files(self, client: "MlflowClient", run_id: str, record: TrialRecord) -> None:
        place = folder(self._spool, record.number)
        drawn = trial_figures(record, read_forecasts(place), self._facts.unit)
        self._log_figures(client, run_id, drawn)
        for file, kept_as in ((MODEL, "model"), (FORECASTS, "forecasts")):
            if (place / file).exists():
                client.log_artifact(run_id, str(place / file), kept_as)

    def _log_figures(
        self, client: "MlflowClient", run_id: str, drawn: Mapping[str, Figure]
    ) -> None:
        with tempfile.TemporaryDirectory() as place:
            for name, figure in drawn.items():
                (Path(place) / f"{name}.png").write_bytes(figures.png(figure))
            client.log_artifacts(run_id, place, "figures")

    def write_study(self, summary: StudySummary, state: State) -> None:
        """Write how the study stands; its table and figures at its end."""
        from mlflow.entities import Metric

        client, run_id = self._client, self._parent_id
        assert client is not None  # connecting comes first
        client.set_tag(run_id, "mlflow.note.content", description(summary, self._facts))
        now = int(1000 * time.time())
        best = summary.best
        metrics = {"finished_trials": float(summary.finished)}
        if best is not None and best.result is not None:
            # Under names of their own: sorted by a trial's metric, the best trial comes first.
            best_metrics = final_metrics(best, self._facts)
            metrics |= {
                f"study_{name}": best_metrics[name]
                for name in ("best_val_mse", "val_rmse", "val_mae", "val_skill")
                if name in best_metrics
            }
            client.set_tag(run_id, "best_trial", str(best.number))
        if summary.overhead_fraction is not None:
            metrics["overhead_fraction"] = summary.overhead_fraction
        client.log_batch(
            run_id,
            metrics=[Metric(k, v, now, summary.finished) for k, v in metrics.items()],
        )
        if state is State.RUNNING:
            return
        for number, fit in fits(summary.records, self._facts.baselines).items():
            self._label(client, number, fit)
        client.log_text(run_id, trials_table(summary, self._facts), "trials.csv")
        self._log_figures(client, run_id, study_figures(summary, self._facts))
        client.set_terminated(run_id, _STATUS[state])

    def _label(self, client: "MlflowClient", number: int, fit: Fit) -> None:
        """Write a trial's fit, which depends on the whole study, unless it is there already."""
        from mlflow.entities import Metric, RunTag

        now = int(1000 * time.time())
        tags, metrics = {"regime": str(fit.regime)}, fit_metrics(fit)
        label = _label(tags, metrics)
        if number not in self._run_ids or self._labels.get(number) == label:
            return
        client.log_batch(
            self._run_ids[number],
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        self._labels[number] = label


def _label(tags: Mapping[str, str], metrics: Mapping[str, float]) -> dict[str, str]:
    """What tells a fit from another, as text: a store may round."""
    names = ("fit_gap", "fit_excess", "epochs_after_best")
    label = {name: f"{metrics[name]:.9g}" for name in names if name in metrics}
    return label | {"regime": tags.get("regime", "")}


def _same_start(run_start: int | None, record: TrialRecord) -> bool:
    """True if a run that began then may be that of `record`; both know it to the millisecond."""
    if run_start is None or record.started is None:
        return True
    # Optuna keeps local clock times, which jump by whole quarters of an hour with the zone.
    return (run_start - _milliseconds(record.started)) % 900_000 == 0


def _milliseconds(moment: dt.datetime | None) -> int:
    return int(1000 * (moment.timestamp() if moment is not None else time.time()))

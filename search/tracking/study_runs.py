"""A study in MLflow: its own run, and one run for every trial attempt.

Metric names: docs/metrics.md.
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from models.regime import Fit
from search.common.records import State, StudyFacts, TrialRecord
from search.common.spool import discard
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
from search.tracking.known_runs import KnownRuns, label
from search.tracking.run_contents import (
    common_tags,
    log_data_set,
    log_figures,
    log_files,
    log_params,
    log_point,
    log_result,
    milliseconds,
)
from search.tracking.shown_table import TAG, shown_table
from search.tracking.study_figures import study_figures
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


class StudyRuns:
    """The runs of one study. Every method may be called again after it failed."""

    def __init__(
        self,
        tracking_uri: str,
        artifacts: Path | None,
        schema_lock: Path,
        spool: Path,
        facts: StudyFacts,
    ) -> None:
        """Remember the places. Nothing is written yet.

        Args:
            tracking_uri: URI of the MLflow store.
            artifacts: folder for a local store's artifacts; None if the server decides.
            schema_lock: file that is locked while a local store's schema is created.
            spool: folder of this study's files that wait for delivery.
            facts: the study's facts.
        """
        self._uri = tracking_uri
        self._artifacts = artifacts
        self._schema_lock = schema_lock
        self._spool = spool
        self._facts = facts
        self._began = int(1000 * time.time())
        self._client: MlflowClient | None = None
        self._experiment_id = ""
        self._known = KnownRuns()
        self._described: set[int] = set()
        # What was mended, for the person; whoever says it takes it out.
        self.told: list[str] = []
        # Runs that this process created, and runs whose end it wrote.
        self.made = 0
        self.ended = 0
        # Runs of attempts that the study does not have (any more).
        self.set_aside = 0

    def connect(self) -> None:
        """Connect to the store, and find or create the study's own run."""
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
                if found.lifecycle_stage == "deleted":
                    client.restore_experiment(self._experiment_id)
                    self.told.append(f"MLflow's experiment {name!r} was deleted: restored.")
            client.set_experiment_tag(
                self._experiment_id, "mlflow.note.content", self._facts.summary
            )
            client.set_experiment_tag(self._experiment_id, TAG, shown_table())
        self._client = client
        self.find()
        if not self._known.study:
            self._known.study = self._create_study_run(client)
            self._adopt(client)
        else:
            client.update_run(self._known.study, status="RUNNING")
        self._describe_study(client)
        client.set_tag(self._known.study, "total_trials", str(self._facts.total))

    def _alone(self) -> AbstractContextManager[object]:
        """Lock the creation of tables against other processes; a server creates its own."""
        alone = ExitStack()
        if self._artifacts is not None:
            alone.enter_context(FileLock(self._schema_lock))
        if is_postgresql(self._uri):
            alone.enter_context(tables_made_alone(self._uri))
        return alone

    def find(self) -> None:
        """Find the existing runs by their tags, so that everything is delivered once."""
        if self._client is None:
            return
        restored = self._known.find(self._client, self._experiment_id, self._facts.identity)
        if restored:
            self.told.append(f"{restored} run(s) of the study were deleted in MLflow: restored.")

    def _adopt(self, client: "MlflowClient") -> None:
        """Put trials under the study's run where an earlier one was purged."""
        orphans = self._known.orphans()
        for run_id in orphans:
            client.set_tag(run_id, "mlflow.parentRunId", self._known.study)
        if orphans:
            self.told.append(
                f"The study's run was gone from MLflow: made anew, with its {len(orphans)} trial(s)"
            )

    def _create_study_run(self, client: "MlflowClient") -> str:
        facts = self._facts
        run = client.create_run(
            self._experiment_id,
            start_time=self._began,
            run_name=facts.name,
            tags={"search.kind": "study"} | common_tags(self._facts),
        )
        run_id: str = run.info.run_id
        return run_id

    def _describe_study(self, client: "MlflowClient") -> None:
        """Log what is the same for all trials; idempotent."""
        facts, run_id = self._facts, self._known.study
        log_params(client, run_id, {"seed": facts.seed})
        log_data_set(client, run_id, facts)
        client.log_dict(run_id, facts.data, "data_report.json")
        client.log_dict(run_id, facts.contract, "contract.json")

    def keep_only(self, records: Mapping[int, TrialRecord]) -> None:
        """Set aside runs that belong to no attempt of the study, as after a restored backup.

        Args:
            records: all attempts of the study, by number.
        """
        client = self._client
        assert client is not None  # connecting comes first
        for number, run_id in self._known.strangers(records).items():
            client.set_tag(run_id, "search.superseded", str(number))
            client.set_tag(run_id, "search.kind", "superseded")
            client.update_run(run_id, name=f"superseded trial {number}")
            # This is the last write. Until then the next start finds the run again.
            client.delete_tag(run_id, "search.trial")
            self._known.forget(number)
            self.set_aside += 1

    def has(self, record: TrialRecord) -> bool:
        """True if the end and the files of an attempt are written."""
        return record.number in self._known.delivered

    def write_trial(self, record: TrialRecord) -> None:
        """Write that an attempt runs, or how it ended."""
        self.write_numbers(record)
        if record.finished:
            self.write_files(record)

    def write_numbers(self, record: TrialRecord) -> None:
        """Write an attempt without its figures and files: after an end, `write_files` follows."""
        client = self._client
        assert client is not None  # connecting comes first
        if record.number in self._known.delivered:
            # The process may have ended just after the last write and left these files.
            discard(self._spool, record.number)
            return
        run_id = self._known.trials.get(record.number)
        if run_id is None:
            run_id = self._create_trial_run(client, record)
            self._known.trials[record.number] = run_id
            self.made += 1
        if record.number not in self._described:
            # Repeat this for a run of an earlier coordinator, which may have ended in between.
            log_point(client, run_id, record, self._facts)
            self._described.add(record.number)
        if not record.finished:
            return
        if record.result is not None:
            log_result(client, run_id, record, self._facts)
        if record.failure is not None:
            client.set_tag(run_id, "failure", f"{record.failure.cause}: {record.failure.message}")
            if record.failure.traceback:
                client.log_text(run_id, record.failure.traceback, "traceback.txt")
        client.set_terminated(run_id, _STATUS[record.state], end_time=milliseconds(record.ended))
        client.set_tag(run_id, "mlflow.note.content", trial_description(record, self._facts))

    def write_files(self, record: TrialRecord) -> None:
        """Write figures, model and forecasts of an attempt whose end is written."""
        client = self._client
        assert client is not None  # connecting comes first
        if self.has(record):
            return
        run_id = self._known.trials[record.number]
        if record.result is not None:
            log_files(client, run_id, record, self._facts, self._spool)
        # This is the last write. After a kill before it, the next start writes to the same run.
        client.set_tag(run_id, "search.delivered", "yes")
        self._known.delivered.add(record.number)
        self.ended += 1
        discard(self._spool, record.number)

    def _create_trial_run(self, client: "MlflowClient", record: TrialRecord) -> str:
        tags = {
            "mlflow.parentRunId": self._known.study,
            "search.trial": str(record.number),
            "search.kind": "trial",
            "design": record.design or "sampled",
            "attempt": str(record.attempt),
        } | common_tags(self._facts)
        if record.retry_of is not None:
            tags["retry_of"] = str(record.retry_of)
        run = client.create_run(
            self._experiment_id,
            start_time=milliseconds(record.started),
            run_name=trial_name(record),
            tags=tags,
        )
        run_id: str = run.info.run_id
        return run_id

    def write_study(self, summary: StudySummary, state: State) -> None:
        """Write the state of the study, and at its end its table and figures."""
        from mlflow.entities import Metric

        client, run_id = self._client, self._known.study
        assert client is not None  # connecting comes first
        client.set_tag(run_id, "mlflow.note.content", description(summary, self._facts))
        now = int(1000 * time.time())
        best = summary.best
        metrics = {"finished_trials": float(summary.finished)}
        if best is not None and best.result is not None:
            # Own names, so that the best trial comes first if runs are sorted by a trial's metric.
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
        running = state is State.RUNNING
        for number, fit in fits(summary.records, self._facts.baselines).items():
            # A trial gets a label once while the study runs, and its final label at the end.
            if not running or number not in self._known.labels:
                self._label(client, number, fit)
        if running:
            return
        client.log_text(run_id, trials_table(summary, self._facts), "trials.csv")
        log_figures(client, run_id, study_figures(summary, self._facts))
        client.set_terminated(run_id, _STATUS[state])

    def _label(self, client: "MlflowClient", number: int, fit: Fit) -> None:
        """Write a trial's fit, which depends on the whole study, if the run does not have it."""
        from mlflow.entities import Metric, RunTag

        now = int(1000 * time.time())
        tags, metrics = {"regime": str(fit.regime)}, fit_metrics(fit)
        found = label(tags, metrics)
        if number not in self._known.trials or self._known.labels.get(number) == found:
            return
        client.log_batch(
            self._known.trials[number],
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        self._known.labels[number] = found

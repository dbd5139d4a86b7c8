"""Knows which runs of a study MLflow already has, so that everything is delivered once."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from search.common.records import TrialRecord
from search.tracking.run_contents import milliseconds

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient


class KnownRuns:
    """The runs of one study, by their tags.

    Attributes:
        study: id of the study's own run, "" if there is none yet.
        trials: ids by number of the attempt.
        delivered: numbers of the attempts whose end is written.
        labels: each attempt's fit as written in its run; see `label`.
    """

    def __init__(self) -> None:
        self.study = ""
        self.trials: dict[int, str] = {}
        self.delivered: set[int] = set()
        self.labels: dict[int, dict[str, str]] = {}
        self._starts: dict[int, int] = {}
        self._parents: dict[int, str] = {}

    def find(self, client: "MlflowClient", experiment_id: str, identity: str) -> int:
        """Find the runs that the store has; deleted runs that were not purged are restored.

        Args:
            client: client of the store.
            experiment_id: the experiment of the runs.
            identity: the study's id.

        Returns:
            How many were restored.
        """
        from mlflow.entities import ViewType

        self._learn(_runs_of(client, experiment_id, identity, ViewType.ACTIVE_ONLY))
        deleted = [
            run
            for run in _runs_of(client, experiment_id, identity, ViewType.DELETED_ONLY)
            if self._lacks(run)
        ]
        for run in deleted:
            client.restore_run(run.info.run_id)
        self._learn(deleted)
        return len(deleted)

    def orphans(self) -> list[str]:
        """Runs of attempts that do not stand under the study's own run."""
        return [
            run_id
            for number, run_id in self.trials.items()
            if self._parents.get(number, self.study) != self.study
        ]

    def _lacks(self, run: "Run") -> bool:
        kind, trial = (run.data.tags.get(f"search.{key}") for key in ("kind", "trial"))
        if kind == "study":
            return not self.study
        return trial is not None and int(trial) not in self.trials

    def _learn(self, runs: "Iterable[Run]") -> None:
        for run in runs:
            kind, trial = (run.data.tags.get(f"search.{key}") for key in ("kind", "trial"))
            if kind == "study":
                self.study = run.info.run_id
            elif trial is not None:
                self.trials[int(trial)] = run.info.run_id
                self._parents[int(trial)] = run.data.tags.get("mlflow.parentRunId", "")
                self._starts[int(trial)] = run.info.start_time
                self.labels[int(trial)] = label(run.data.tags, run.data.metrics)
                if "search.delivered" in run.data.tags:
                    self.delivered.add(int(trial))

    def forget(self, number: int) -> None:
        """Treat the run of attempt `number` as one of another study."""
        for known in (self.trials, self._starts, self._parents, self.labels):
            known.pop(number, None)
        self.delivered.discard(number)

    def strangers(self, records: Mapping[int, TrialRecord]) -> dict[int, str]:
        """Runs, by number, that belong to none of the attempts `records`."""
        return {
            number: run_id
            for number, run_id in self.trials.items()
            if number not in records or not _same_start(self._starts.get(number), records[number])
        }


def _runs_of(
    client: "MlflowClient", experiment_id: str, identity: str, which: int
) -> "Iterator[Run]":
    token = None
    while True:
        page = client.search_runs(
            [experiment_id],
            filter_string=f"tags.`search.study_id` = '{identity}'",
            run_view_type=which,
            max_results=1000,
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def label(tags: Mapping[str, str], metrics: Mapping[str, float]) -> dict[str, str]:
    """The values that identify a fit, as text, because a store may round."""
    names = ("fit_gap", "fit_excess", "epochs_after_best")
    label = {name: f"{metrics[name]:.9g}" for name in names if name in metrics}
    return label | {"regime": tags.get("regime", "")}


def _same_start(run_start: int | None, record: TrialRecord) -> bool:
    """True if a run with this start may belong to `record`; both are exact to the millisecond."""
    if run_start is None or record.started is None:
        return True
    # Optuna keeps local clock times, which jump by whole quarters of an hour with the zone.
    return (run_start - milliseconds(record.started)) % 900_000 == 0

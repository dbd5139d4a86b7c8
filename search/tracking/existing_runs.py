"""Reads and completes runs in an existing MLflow store."""

import math
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from search.common.errors import Refused
from search.common.spool import FORECASTS, Forecasts, read_forecasts
from search.common.stores import masked, missing_file, named_where
from search.tracking.client import connect, first_line, reason, store_errors
from search.tracking.shown_table import TAG
from search.tracking.ui_addresses import Experiment

if TYPE_CHECKING:
    from mlflow.entities import Run


class NotThere(Exception):
    """MLflow cannot be reached or does not hold what is needed. The message says which."""


class KeptRuns:
    """The runs of one study in an existing store."""

    def __init__(self, tracking_uri: str, experiment: str, identity: str) -> None:
        """Connect.

        Args:
            tracking_uri: URI of the store; no database file is created.
            experiment: name of the study's experiment.
            identity: the study's unique id, independent of its name.

        Raises:
            NotThere: there is no such file or experiment, or the store cannot be reached.
        """
        missing = missing_file(tracking_uri)
        if missing:
            raise NotThere(f"there is no {missing}")
        self._identity = identity
        with _calls():
            self._client = connect(tracking_uri)
            found = self._client.get_experiment_by_name(experiment)
        if found is None:
            raise NotThere(f"MLflow has no experiment {experiment!r}")
        self._experiment_id: str = found.experiment_id

    def find(self) -> None:
        """Check that the study's own run exists.

        Raises:
            NotThere: it does not exist.
        """
        with _calls():
            self._run("tags.`search.kind` = 'study'")

    def try_writing(self) -> None:
        """Write a line and a small file to the study's own run.

        Raises:
            NotThere: it has none, or the store cannot be written.
        """
        with _calls():
            run = self._run("tags.`search.kind` = 'study'")
            self._client.set_tag(run.info.run_id, "search.tried_writing", "yes")
            self._client.log_text(run.info.run_id, "written before a promotion", "promotion.txt")

    def log_report(self, place: Path) -> None:
        """Log the files of `place` as `report` to the study's own run.

        Raises:
            NotThere: it has none, or the store cannot be written.
        """
        with _calls():
            run = self._run("tags.`search.kind` = 'study'")
            self._client.log_artifacts(run.info.run_id, str(place), "report")

    def log_figures(self, place: Path) -> None:
        """Log the files of `place` among the figures of the study's own run.

        Raises:
            NotThere: it has none, or the store cannot be written.
        """
        with _calls():
            run = self._run("tags.`search.kind` = 'study'")
            self._client.log_artifacts(run.info.run_id, str(place), "figures")

    def begin_promotion(self, name: str, tags: Mapping[str, str]) -> str:
        """Create a run for a promotion under the study's own run; return its id."""
        with _calls():
            parent = self._run("tags.`search.kind` = 'study'")
            run = self._client.create_run(
                self._experiment_id,
                run_name=name,
                tags={
                    "mlflow.parentRunId": parent.info.run_id,
                    "mlflow.source.name": "search.promote",
                    "search.study_id": self._identity,
                    "search.kind": "promotion",
                }
                | dict(tags),
            )
            run_id: str = run.info.run_id
            return run_id

    def end_promotion(
        self, run_id: str, page: str, metrics: Mapping[str, float], files: Path, status: str
    ) -> None:
        """Log the outcome of a promotion, and end its run.

        Args:
            run_id: the id that `begin_promotion` returned.
            page: the run's description, Markdown.
            metrics: values by name; only finite ones are logged.
            files: folder of artifacts.
            status: "FINISHED", "FAILED" or "KILLED".
        """
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        finite = [Metric(k, v, now, 0) for k, v in metrics.items() if math.isfinite(v)]
        with _calls():
            self._client.log_batch(run_id, metrics=finite)
            self._client.set_tag(run_id, "mlflow.note.content", page)
            self._client.log_artifacts(run_id, str(files))
            self._client.set_terminated(run_id, status)

    def describe(self, page: str) -> None:
        """Replace the description of the study's own run."""
        with _calls():
            run = self._run("tags.`search.kind` = 'study'")
            self._client.set_tag(run.info.run_id, "mlflow.note.content", page)

    def forecasts(self, number: int) -> Forecasts:
        """The validation forecasts of attempt `number`.

        Raises:
            NotThere: they were not kept, or the store cannot be read.
        """
        with _calls(), tempfile.TemporaryDirectory() as place:
            run = self._run(f"tags.`search.trial` = '{number}'")
            kept = self._client.list_artifacts(run.info.run_id, "forecasts")
            if not kept:
                raise NotThere("its forecasts were not kept")
            file = self._client.download_artifacts(run.info.run_id, kept[0].path, place)
            try:
                found = read_forecasts(Path(file).parent)
            except (ValueError, KeyError, zipfile.BadZipFile) as error:
                raise NotThere(f"its forecasts cannot be read: {error}") from error
        if found is None:
            raise NotThere(f"its forecasts are not in a {FORECASTS}")
        return found

    def model(self, number: int, place: Path) -> Path:
        """Copy the network of attempt `number` into the folder `place`; return its file.

        Raises:
            NotThere: it was not kept, or the store cannot be read.
        """
        place.mkdir(parents=True, exist_ok=True)
        with _calls():
            run = self._run(f"tags.`search.trial` = '{number}'")
            kept = self._client.list_artifacts(run.info.run_id, "model")
            if not kept:
                raise NotThere("its network was not kept")
            return Path(self._client.download_artifacts(run.info.run_id, kept[0].path, place))

    def _run(self, which: str) -> "Run":
        runs = self._client.search_runs(
            [self._experiment_id],
            filter_string=f"tags.`search.study_id` = '{self._identity}' and {which}",
            max_results=1,
        )
        if not runs:
            raise NotThere(f"MLflow has no run with {which}")
        return runs[0]


@contextmanager
def _calls() -> Iterator[None]:
    """Turn the errors of MLflow and its stores into `NotThere`."""
    try:
        yield
    except store_errors() as error:
        raise NotThere(reason(error)) from error


def experiments(tracking_uri: str) -> dict[str, Experiment]:
    """Return the experiments by name, without the empty one that MLflow creates.

    Raises:
        Refused: the store cannot be read, for example because another version of MLflow wrote it.
    """
    try:
        found = connect(tracking_uri).search_experiments()
    except store_errors() as error:
        said = str(error)
        if tracking_uri.startswith(("http:", "https:")):
            said = first_line(error)  # the rest is a page for a browser
            remedy = f"start the server, or give another {named_where(tracking_uri)}."
        else:
            remedy = (
                "after a backup, `mlflow db upgrade URL` if it is of an older version; else "
                f"restore a backup or give another {named_where(tracking_uri)}."
            )
        raise Refused(
            f"the MLflow store {masked(tracking_uri)} cannot be read: {masked(said)}\n"
            f"Next: {remedy}"
        ) from error
    return {
        one.name: Experiment(one.experiment_id, TAG in one.tags)
        for one in found
        if one.name != "Default"
    }

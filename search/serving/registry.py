"""The registry: versions of one named model, the alias that is in service, and its history.

The history is a tag an event on the registered model, numbered, never changed. What is in service
follows from it: a promotion puts a version on top, a rollback takes one off.
"""

import datetime as dt
import getpass
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from search.common import commands
from search.common.errors import Refused, WrongInput
from search.common.stores import Stores, masked
from search.serving.model_folder import digest
from search.tracking.client import connect, first_line, store_errors
from search.tuning.postgres_lock import holding, is_postgresql

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

CHAMPION = "champion"
PREVIOUS = "previous"
_EVENT = "history."
_DIGEST = "sha256"


@dataclass(frozen=True)
class Event:
    """One thing that happened to a model.

    Attributes:
        number: from 1. time: ISO 8601, UTC. action: "promoted" or "rolled back".
        version: in service since then. by: who did it. details: of a promotion.
    """

    number: int
    time: str
    action: str
    version: str
    by: str
    details: dict[str, Any]


class Registry:
    """The versions of one model name in an MLflow store."""

    def __init__(self, stores: Stores, name: str) -> None:
        """Connect; `name` is that of the registered model."""
        self.name = name
        self._stores = stores
        self._client = _client(stores)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other promotions and rollbacks of this model waiting.

        In a database server that either store is in, for all machines; else for this one.
        """
        for url in (self._stores.tracking, self._stores.storage):
            if is_postgresql(url):
                name = f"model {self.name!r} of {masked(self._stores.tracking)}"
                with holding(url, name, wait=True):
                    yield
                return
        path = self._stores.model_lock(self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path):
            yield

    def champion(self) -> str | None:
        """The version in service, or None."""
        return self._alias(CHAMPION)

    def history(self) -> list[Event]:
        """All events, oldest first."""
        model = self._model()
        tags = {} if model is None else model.tags
        events: list[Event] = []
        for key in sorted(tag for tag in tags if tag.startswith(_EVENT)):
            plain = json.loads(tags[key])
            events.append(Event(number=len(events) + 1, **plain))
        return events

    def overridden(self, version: str) -> list[str]:
        """What spoke against `version` when it was promoted all the same; empty for most."""
        return next(
            (
                list(event.details["objections"])
                for event in reversed(self.history())
                if event.version == version and "objections" in event.details
            ),
            [],
        )

    def add(self, run_id: str, place: Path, card: str, tags: Mapping[str, str]) -> str:
        """Register the model folder `place` as a new version; no alias moves.

        Args:
            run_id: of the promotion's run, whose artifact it becomes.
            place: the folder, called "model".
            card: the version's description, Markdown.
            tags: of the version.

        Returns:
            The version.
        """
        with _calls():
            if self._model() is None:
                self._client.create_registered_model(self.name)
            self._client.log_artifacts(run_id, str(place), "model")
            run = self._client.get_run(run_id)
            made = self._client.create_model_version(
                self.name,
                source=f"{run.info.artifact_uri}/model",
                run_id=run_id,
                description=card,
                tags={**tags, _DIGEST: digest(place)},
            )
            return str(made.version)

    def put_in_service(self, version: str, former: str | None, details: Mapping[str, Any]) -> None:
        """Move the alias to `version`, the former champion becoming "previous".

        Args:
            version: the new champion.
            former: the champion that it was compared with.
            details: of the promotion, for the history.

        Raises:
            Refused: another version has become champion meanwhile, say from another machine.
        """
        if self.champion() != former:
            raise Refused(
                f"version {self.champion()} of model {self.name!r} became champion meanwhile.\n"
                "Next: run the same command again, which compares with it."
            )
        with _calls():
            # The event first: an end in between leaves a history that the next command reads, and
            # an alias that `mend` brings in line.
            self._note("promoted", version, details)
            self._point(version, former)

    def roll_back(self) -> str:
        """Put the version before the champion in service again.

        Returns:
            That version.

        Raises:
            Refused: there is none, or it was deleted or changed.
        """
        stack = in_service(self.history())
        if len(stack) < 2:
            raise Refused(
                f"model {self.name!r} has no version to go back to; in service: "
                f"{self.champion() or 'none'}.\nNext: `--history` shows what happened to it."
            )
        back = stack[-2]
        with tempfile.TemporaryDirectory() as place:
            self.fetch(back, Path(place))
        with _calls():
            self._note("rolled back", back, {"from": stack[-1]})
            self._point(back, stack[-3] if len(stack) > 2 else None)
        return back

    def mend(self) -> list[str]:
        """Bring the aliases in line with the history, where an end came between the two.

        Returns:
            What was done, in a line; empty if they agreed.
        """
        stack, found = in_service(self.history()), self.champion()
        if not stack or found == stack[-1]:
            return []
        with _calls():
            self._point(stack[-1], stack[-2] if len(stack) > 1 else None)
        return [
            f"The alias {CHAMPION} of model {self.name!r} stood at {found or 'no version'}, and by "
            f"its history version {stack[-1]} is in service: moved there."
        ]

    def fetch(self, version: str, place: Path) -> Path:
        """Copy a version's folder into `place`, checked against what was registered.

        Raises:
            Refused: it was deleted, is incomplete, or is not what was registered.
        """
        with _calls():
            known = self._client.search_model_versions(f"name = '{self.name}'", max_results=10_000)
        found = next((one for one in known if str(one.version) == version), None)
        if found is None:
            raise Refused(
                f"version {version} of model {self.name!r} is not in the registry; was it deleted?"
                "\nNext: promote another study, or restore the registry from a backup."
            )
        with _calls():
            at = self._client.get_model_version_download_uri(self.name, version)
            import mlflow

            folder = Path(
                mlflow.artifacts.download_artifacts(
                    artifact_uri=at, dst_path=str(place), tracking_uri=self._stores.tracking
                )
            )
        if digest(folder) != found.tags.get(_DIGEST):
            raise Refused(
                f"version {version} of model {self.name!r} is not what was registered: files are "
                "missing, cut short or changed.\nNext: restore the artifacts from a backup, or "
                "promote again."
            )
        return folder

    def _model(self) -> Any:
        with _calls():
            found = self._client.search_registered_models(f"name = '{self.name}'")
        return found[0] if found else None

    def _alias(self, alias: str) -> str | None:
        model = self._model()
        found = None if model is None else model.aliases.get(alias)
        return None if found is None else str(found)

    def _note(self, action: str, version: str, details: Mapping[str, Any]) -> None:
        # Keys that sort by time, and that two machines do not both take.
        key = f"{_EVENT}{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%f}.{uuid.uuid4().hex[:6]}"
        plain = {
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "action": action,
            "version": version,
            "by": _person(),
            "details": dict(details),
        }
        self._client.set_registered_model_tag(self.name, key, json.dumps(plain))

    def _point(self, champion: str, previous: str | None) -> None:
        self._client.set_registered_model_alias(self.name, CHAMPION, champion)
        if previous is not None and previous != champion:
            self._client.set_registered_model_alias(self.name, PREVIOUS, previous)
        elif self._alias(PREVIOUS) is not None:
            self._client.delete_registered_model_alias(self.name, PREVIOUS)


def in_service(events: Sequence[Event]) -> list[str]:
    """The versions that a rollback would go through, the one in service last."""
    stack: list[str] = []
    for event in events:
        if event.action == "promoted":
            stack.append(event.version)
        elif stack:
            stack.pop()
    return stack


def need_store(stores: Stores) -> None:
    """See that there is a store to read.

    Raises:
        Refused: there is none yet.
    """
    if stores.missing_tracking:
        raise Refused(
            f"there is no MLflow store {stores.missing_tracking} yet, so no model either.\n"
            f"Next: {_promote(stores)}"
        )


def _promote(stores: Stores) -> str:
    places = stores.words("--storage", "--tracking-uri")
    return commands.module("search.promote", "--study", "NAME", *places)


def the_model(stores: Stores) -> str:
    """The name of the one model that is in service.

    Raises:
        Refused: there is none.
        WrongInput: there are several.
    """
    names = names_with_champion(stores)
    if not names:
        raise Refused(f"no model is in service in this store.\nNext: {_promote(stores)}")
    if len(names) > 1:
        raise WrongInput(f"several models are in service: give one of {', '.join(names)} by --name")
    return names[0]


def names_with_champion(stores: Stores) -> list[str]:
    """The models of which a version is in service."""
    client = _client(stores)
    found, token = [], None
    with _calls():
        while True:
            page = client.search_registered_models(max_results=100, page_token=token)
            found += [model.name for model in page if CHAMPION in model.aliases]
            token = page.token
            if not token:
                return sorted(found)


def _client(stores: Stores) -> "MlflowClient":
    with _calls():
        return connect(stores.tracking)


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


@contextmanager
def _calls() -> Iterator[None]:
    """What MLflow and its stores raise, as a refusal."""
    try:
        yield
    except store_errors() as error:
        raise Refused(f"the MLflow store cannot be used: {masked(first_line(error))}") from error

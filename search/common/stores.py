"""The places of a study's stores, and their names without passwords."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from search.common import commands
from search.common.errors import WrongInput

ROOT = Path("mlruns")
_LONGEST_NAME = 100
_VARIABLE = "MLFLOW_TRACKING_URI"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PASSWORD = re.compile(r"(\w://[^:/?#]*:).*@", re.DOTALL)
_SECRET = re.compile(r"([?&]\w*(?:password|passwd|pwd|secret|token)=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True)
class Stores:
    """The places of the study database, the MLflow store, and files on the way to MLflow.

    Attributes:
        storage: URL of the study database. tracking: URI of the MLflow store.
        artifacts: folder for a local MLflow store's artifacts; None if a server decides.
        root: folder of `spool/` and `locks/` for a database on a server. For a file, they are
            beside it.
    """

    storage: str
    tracking: str
    artifacts: Path | None
    root: Path

    @property
    def missing_tracking(self) -> str:
        """The file of a local MLflow store, if it does not exist yet; else ""."""
        return missing_file(self.tracking)

    def words(self, *options: str) -> list[str]:
        """The `options` that point another command to these stores; none for the usual places.

        Args:
            options: "--storage", "--tracking-uri" or both.
        """
        usual = {
            "--storage": (self.storage, f"sqlite:///{self.root}/optuna.db"),
            "--tracking-uri": (self.tracking, f"sqlite:///{self.root}/mlflow.db"),
        }
        found = [(option, *usual[option]) for option in options]
        return [word for option, url, at in found if url != at for word in (option, masked(url))]

    @property
    def warnings(self) -> list[str]:
        """Consequences of these places that a person may not expect, one sentence each."""
        if self.artifacts is None or database_file(self.tracking) is not None:
            return []
        return [
            f"{named_where(self.tracking)} {masked(self.tracking)} is a database: figures and "
            f"models are in {self.artifacts} on this machine, where no other machine can read "
            "them; start `mlflow server --artifacts-destination` on it and give the server's "
            "address instead"
        ]

    @property
    def schema_lock(self) -> Path:
        """File locked while the tables of the study database are created."""
        return self._lock(self.storage)

    @property
    def tracking_lock(self) -> Path:
        """File locked while the tables of a local MLflow store are created."""
        return self._lock(self.tracking)

    def study_lock(self, study: str) -> Path:
        """The file that the only coordinator of `study` locks."""
        return self._lock(self.storage, f".{study}")

    def model_lock(self, model: str) -> Path:
        """The file that is locked while the version in service of `model` changes."""
        return self._lock(self.tracking, f".model-{model}")

    def _lock(self, url: str, what: str = "") -> Path:
        file = database_file(url)
        # One lock per server, so that a server that does not answer does not block others.
        name = f"server-{_digest(url)}" if file is None else file.name
        return self._folder(url) / "locks" / f"{name}{what}.lock"

    def _folder(self, url: str) -> Path:
        """The folder for files that belong to a database: beside it if it is a file."""
        file = database_file(url)
        return self.root if file is None else file.parent

    def spool(self, study: str, identity: str) -> Path:
        """Folder of the study's files that MLflow does not have yet; unique by `identity`."""
        return self._folder(self.storage) / "spool" / f"{study}-{identity[:8]}"

    def keras_tuner(self, study: str, identity: str) -> Path:
        """KerasTuner's project directory for a study; unique by `identity`."""
        return self._folder(self.storage) / "keras_tuner" / f"{study}-{identity[:8]}"


def choose_stores(storage: str | None, tracking: str | None) -> Stores:
    """Choose the stores from options, environment and defaults. Writes nothing."""
    root = ROOT.absolute()
    tracking = tracking or os.environ.get(_VARIABLE)
    named = named_where(tracking) if tracking else "--tracking-uri"
    if storage:
        _check_database("--storage", storage)
    if tracking and not tracking.startswith(("http:", "https:")):
        _check_database(named, tracking)
    storage = storage or f"sqlite:///{root}/optuna.db"
    tracking = tracking or f"sqlite:///{root}/mlflow.db"
    if _place(storage) == _place(tracking):
        raise WrongInput(
            f"--storage and {named} are both {masked(storage)}, but Optuna and MLflow "
            "cannot share a database: give each its own"
        )
    local = not tracking.startswith(("http:", "https:"))
    return Stores(storage, tracking, root / "artifacts" if local else None, root)


def named_where(tracking: str) -> str:
    """What a person changes to reach another MLflow store: the environment variable, or the option.

    Args:
        tracking: URI of the store.
    """
    given = os.environ.get(_VARIABLE)
    return _VARIABLE if given and given == tracking else "--tracking-uri"


def _place(url: str) -> str:
    """The place of a store, the same for all spellings of its URL."""
    import sqlalchemy as sa

    file = database_file(url)
    if file is not None:
        return str(file)
    if url.startswith(("http:", "https:")):
        return url.rstrip("/")
    at = sa.make_url(url)
    port = at.port or {"postgresql": 5432, "mysql": 3306}.get(at.get_backend_name())
    host = at.host or at.query.get("host") or "localhost"
    host = "localhost" if host in ("127.0.0.1", "::1") else host
    return f"{at.get_backend_name()}://{host}:{port}/{at.database}"


def _digest(url: str) -> str:
    """An id of a store for file names, without its user and password."""
    return hashlib.sha256(_place(url).encode()).hexdigest()[:8]


def database_file(url: str) -> Path | None:
    """The file of a SQLite database, or None for a server."""
    path = _path(url)
    return Path(path).resolve() if path else None


def _path(url: str) -> str:
    """The path of a SQLite database as the URL spells it; "" for a server."""
    scheme, _, path = url.partition(":///")
    return path.partition("?")[0] if scheme.partition("+")[0] == "sqlite" else ""


def _check_database(option: str, url: str) -> None:
    import sqlalchemy as sa

    try:
        parsed = sa.make_url(url)
        parsed.get_dialect().import_dbapi()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError) as error:
        raise WrongInput(
            f"{option} {masked(url)}: expected the URL of a database, such as "
            "sqlite:///mlruns/NAME.db or postgresql://USER@HOST/NAME; found none that can be read "
            f"({type(error).__name__})"
        ) from error
    except ImportError as error:
        # If only the C library of the driver is missing, the error has no name.
        driver = error.name or parsed.get_driver_name() or parsed.get_backend_name()
        package = "'psycopg[binary]'" if driver == "psycopg" else driver
        raise WrongInput(
            f"{option} {masked(url)} needs a database driver that is not installed: {driver}\n"
            f"Next: {commands.python()} -m pip install {package}"
        ) from error
    if parsed.get_backend_name() != "sqlite" and not parsed.database and not parsed.query:
        raise WrongInput(
            f"{option} {masked(url)} names no database: expected one such as "
            "postgresql://USER@HOST/NAME"
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise WrongInput(
            f"{option} {masked(url)}: expected a database that outlives this command, such as "
            "sqlite:///mlruns/optuna.db; found one in memory"
        )
    folder = Path(parsed.database or ".").absolute().parent
    missing = folder != ROOT.absolute() and not folder.is_dir()  # our own root will be created
    if parsed.get_backend_name() == "sqlite" and missing:
        raise WrongInput(f"{option} {masked(url)}: there is no folder {folder}")


def missing_file(url: str) -> str:
    """The file of the SQLite database at `url`, if it does not exist yet; else ""."""
    path = _path(url)
    return path if path and not Path(path).exists() else ""


def check_name(option: str, name: str) -> str:
    """Return `name` if it can safely be part of file names, tags and queries.

    Raises:
        WrongInput: naming the option, the rule and what was found.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise WrongInput(
            f"{option} {name[:60]!r}: expected 1 to {_LONGEST_NAME} letters, digits, dots, dashes "
            f"or underscores, beginning with a letter or digit; found {len(name)} characters"
        )
    return name


def masked(url: str) -> str:
    """Return a URL, or a text with one in it, with its password replaced by ***.

    A password may contain "/" and "@", so everything up to the last "@" counts as the password.
    """
    return _SECRET.sub(r"\1***", _PASSWORD.sub(r"\1***@", url))

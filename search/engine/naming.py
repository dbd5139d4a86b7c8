"""What a study and its model are called where nobody says: by the experiment and the file."""

import hashlib
import re
import unicodedata
from pathlib import Path

from experiments.experiment import Experiment
from search.common.stores import Stores, missing_file
from search.engine.plan import Plan
from search.tuning.kept_studies import kept_contract, kept_file
from search.tuning.storage import open_existing, refusing_failures

_LONGEST = 100
_HANGUL = "HANGUL SYLLABLE "
_DIGEST = 6


def default_name(experiment: Experiment) -> str:
    """The experiment's name, with that of the file; Hangul is romanised."""
    path = experiment.source.path
    if path is None:
        return experiment.name
    stem = unicodedata.normalize("NFC", path.stem)
    name = f"{experiment.name}-{''.join(map(_plain, stem))}"
    # Different names may be written alike in plain letters, or be cut off alike.
    if stem.isascii() and len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - _DIGEST - 1]}-{_digest(stem)}"


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter if letter.isalnum() or letter in "-_" else "-"
    called = unicodedata.name(letter, "")
    if called.startswith(_HANGUL):
        return called.removeprefix(_HANGUL).lower()
    bare = unicodedata.normalize("NFKD", letter)[:1]
    return bare if bare.isascii() and bare.isalnum() else "-"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def name_of_before(experiment: Experiment) -> str:
    """What earlier versions called it: every letter beyond ASCII is a dash."""
    path = experiment.source.path
    if path is None:
        return experiment.name
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in path.stem)
    return f"{experiment.name}-{stem}"[:_LONGEST]


def study_name(plan: Plan, stores: Stores) -> tuple[str, str]:
    """The name for a study of this plan, and what is to be said of it, "" for most.

    The first file of a name gets the plain name. Another file that is called so gets a name of its
    own, by its folder.

    Raises:
        Refused: the database cannot be read.
    """
    name, before = default_name(plan.experiment), name_of_before(plan.experiment)
    path = plan.experiment.source.path
    if path is None or missing_file(stores.storage):
        return name, ""
    data = plan.series.fingerprint
    with refusing_failures():
        storage = open_existing(stores.storage, stores.schema_lock)
        if before != name and (kept_contract(storage, before) or {}).get("data") == data:
            return before, ""
        contract, file = kept_contract(storage, name), kept_file(storage, name)
    own = str(path.absolute())
    if contract is None or not file or file == own or contract.get("data") == data:
        return name, ""
    other = f"{name[: _LONGEST - _DIGEST - 1]}-{_digest(own)}"
    return other, f"Study {name} is of {file}; this one, of {own}, is called {other}."


def model_name(study: str, experiment: Experiment) -> str:
    """The name for a model of a study: the study's own where two files of one name need it."""
    name = default_name(experiment)
    own = re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{{_DIGEST}}}", study)
    return study if own or study == name_of_before(experiment) else name


def files_differ(kept: str, now: Path | None) -> str:
    """Which file a study was begun with and which one it is given; "" where nothing is known."""
    given = "the built-in data" if now is None else str(now.absolute())
    if not kept:
        return ""
    return f"begun with {kept}, given {given}" if kept != given else f"{given} has changed since"

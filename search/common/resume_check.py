"""Whether a study may go on under a contract, and where two differ, in words."""

import json
from collections.abc import Mapping

from search.common.drawing import OPTUNA
from search.common.errors import Refused

# Studies of before there was a choice name no tuner.
_UNNAMED = {"tuner": OPTUNA}


def hold(name: str, kept: Mapping[str, object], now: Mapping[str, object], files: str = "") -> None:
    """Compare the contract that study `name` was begun under with the one it would go on under.

    Args:
        name: of the study.
        kept: the contract that it was begun under.
        now: the one that it would go on under.
        files: which data files these are of, where the data differ.

    Raises:
        Refused: they differ; what changed is named.
    """
    changes = differences(_UNNAMED | dict(kept), _UNNAMED | json.loads(json.dumps(dict(now))))
    if files and kept.get("data") != now.get("data"):
        changes.append(f"file: {files}")
    if changes:
        raise Refused(
            f"study {name!r} cannot go on, because its trials would not be comparable. Changed:\n"
            + "\n".join(f"  {line}" for line in changes)
            + "\nNext: repeat the first command, or begin a new study with --study NAME."
        )


def differences(kept: object, now: object, place: str = "") -> list[str]:
    """Say where two nested plain values differ, a line each: place, kept value, value now."""
    if isinstance(kept, dict) and isinstance(now, dict):
        lines = []
        for key in sorted(kept.keys() | now.keys()):
            inner = f"{place}.{key}" if place else str(key)
            lines += differences(kept.get(key), now.get(key), inner)
        return lines
    if kept == now:
        return []
    return [f"{place}: was {_short(kept)}, is {_short(now)}"]


def _short(value: object) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."

"""Checks whether a study may go on under a contract, and names the differences of two."""

import json
from collections.abc import Mapping

from search.common.drawing import OPTUNA
from search.common.errors import Refused

# Studies from before the choice of tuners name no tuner.
_UNNAMED = {"tuner": OPTUNA}


def hold(name: str, kept: Mapping[str, object], now: Mapping[str, object], files: str = "") -> None:
    """Compare the contract that study `name` began with and the one it would go on with.

    Args:
        name: of the study.
        kept: the contract that it was begun under.
        now: the one that it would go on under.
        files: which data files these are of, where the data differ.

    Raises:
        Refused: they differ. The message names the changes.
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
    """List where two nested plain values differ, one line each: place, kept value, value now."""
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

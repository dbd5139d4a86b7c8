"""Where two contracts of a study differ, in words."""

import json


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
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."

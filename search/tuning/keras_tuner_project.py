"""The project directory of a study that KerasTuner draws for: whose it is.

It shows a person who knows KerasTuner what its oracle was told, and nothing of ours reads it: the
truth is in the study database, from which it is written anew at every start. So a lost or torn one
does no harm.
"""

import json
from pathlib import Path

from search.common.errors import Refused

_OWNER = "study.json"
_HALF_WRITTEN = "study.json.part"


def claim(directory: Path, study: str, identity: str) -> None:
    """Make `directory` for the study of that name and identity, or see that it is its own.

    Raises:
        Refused: it is another study's, or nobody knows whose.
    """
    directory.mkdir(parents=True, exist_ok=True)
    owner = _owner(directory)
    if owner.get("identity") == identity:
        return
    if owner or any(path.name not in (_OWNER, _HALF_WRITTEN) for path in directory.iterdir()):
        found = f"of study {owner['study']!r}" if "study" in owner else "of no study"
        raise Refused(
            f"the KerasTuner project directory {directory} is {found}; expected that of study "
            f"{study!r} with identity {identity[:8]}.\n"
            "Next: move that directory away and run the same command again; the study's own is "
            "written anew from the study database."
        )
    half = directory / _HALF_WRITTEN
    plain = {"study": study, "identity": identity}
    half.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    half.replace(directory / _OWNER)


def _owner(directory: Path) -> dict[str, str]:
    try:
        found = json.loads((directory / _OWNER).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

"""What the READMEs of the rooms and the docs say of files is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(
    place.parent
    for top in ("search", "models", "data_pipeline", "experiments")
    for place in (ROOT / top).rglob("__init__.py")
)
PAGES = (ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md")


def _named(text: str) -> list[str]:
    """What is in backticks and looks like a file or a folder."""
    return re.findall(r"`([\w./-]*(?:\.(?:py|j2|md|toml)|/))`", text)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_a_room_has_a_readme_whose_files_exist(room: Path) -> None:
    named = _named((room / "README.md").read_text(encoding="utf-8"))
    assert named
    assert [n for n in named if not (room / n).exists() and not (ROOT / n).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_the_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {path.name for path in ROOT.glob("*/**/*.py") if ".venv" not in path.parts}
    missing = [
        name
        for name in _named(text)
        if not (ROOT / name).exists()
        # Beside another that is named with its folder, or below the room just spoken of.
        and not ("/" not in name and name in known)
        and not (ROOT / "search" / name).exists()
        and not (page.parent / name).exists()
    ]
    assert missing == []

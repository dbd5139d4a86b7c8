"""The commands work in any folder once `scripts/setup` has run."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = "requirements.lock"


def test_d28_the_packages_are_found_from_another_folder_also_after_a_move(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup", project / "scripts")
    (project / "search").mkdir()
    (project / "search" / "__init__.py").write_text("")
    (project / LOCK).write_text("nothing\n")
    venv = [sys.executable, "-m", "venv", "--without-pip", str(project / ".venv")]
    subprocess.run(venv, check=True)
    # Installed already, so that the script only does the rest.
    shutil.copy(project / LOCK, project / ".venv")
    subprocess.run(["sh", "scripts/setup"], cwd=project, check=True)
    moved = project.rename(tmp_path / "renamed")
    code = "import search; print(search.__file__)"
    command = [str(moved / ".venv" / "bin" / "python"), "-c", code]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert Path(done.stdout.strip()) == moved / "search" / "__init__.py"

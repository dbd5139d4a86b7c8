"""Which modules the coordinator's process must not import: TensorFlow's start takes long."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LIGHT = (
    "run",
    "plan",
    "stores",
    "study",
    "tuners",
    "keras_tuner_project",
    "coordinator",
    "pool",
    "worker",
    "tracking",
    "summary",
    "wording",
    "conduct",
    "kept_runs",
)
FORBIDDEN = {
    "search.run": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "search.ui": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "search.predict": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "search.promote.__main__": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "all": {"tensorflow", "keras", "keras_tuner", "mlflow"},
}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_importing_the_search_never_imports_tensorflow(case: str) -> None:
    modules = [f"search.{name}" for name in LIGHT] if case == "all" else [case]
    code = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\n"
        f"print(sorted({FORBIDDEN[case]} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_training_process_starts_without_what_keras_does_not_need_there() -> None:
    code = (
        "import sys\nfrom search.tensorflow_start import tensorflow_start\n"
        "with tensorflow_start(): import models.device\n"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'sklearn'} & set(sys.modules)))\n"
        "from models.baselines import Ridge\nimport matplotlib.pyplot"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['keras', 'tensorflow']"
    assert done.stderr == ""

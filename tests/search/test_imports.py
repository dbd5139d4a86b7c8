"""What processes import, and must not: TensorFlow takes long to start, MLflow reports its use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LIGHT = (
    "run",
    "engine.plan",
    "training.machine",
    "engine.facts",
    "common.stores",
    "tuning.study",
    "common.drawing",
    "tuning.factory",
    "tuning.keras_tuner_project",
    "engine.coordinator",
    "training.pool",
    "training.local_pool",
    "training.worker",
    "training.train_task",
    "tracking.study_runs",
    "tracking.known_runs",
    "tracking.run_contents",
    "tuning.endings",
    "tuning.proposals",
    "tuning.pruning",
    "tuning.queue",
    "results.summary",
    "results.sentences",
    "tracking.descriptions",
    "engine.session",
    "tuning.lock",
    "tracking.existing_runs",
)
FORBIDDEN = {
    "search.run": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "search.ui": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "search.predict": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "search.promote.__main__": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
    "search.explain.__main__": {"tensorflow", "keras", "mlflow", "optuna", "matplotlib", "pandas"},
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
        "import sys\nfrom models.tensorflow_start import tensorflow_start\n"
        "with tensorflow_start(): import models.device\n"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'sklearn'} & set(sys.modules)))\n"
        "from sklearn.linear_model import Ridge\nimport matplotlib.pyplot"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['keras', 'tensorflow']"
    assert done.stderr == ""


def test_a_search_does_not_let_mlflow_report_its_use(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom search.tracking.study_runs import StudyRuns\n"
        "from tests.search.samples import facts\nplace = Path(sys.argv[1])\n"
        "uri = f'sqlite:///{place}/mlflow.db'\n"
        "StudyRuns(uri, place / 'a', place / 'lock', place / 'spool', facts()).connect()\n"
        "from mlflow.telemetry import get_telemetry_client\nprint(get_telemetry_client())"
    )
    # Where tests run, MLflow is silent by itself.
    signs = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "PYTEST_CURRENT_TEST", "MLFLOW_DISABLE_TELEMETRY")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if name not in signs},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "None" and done.stderr == ""

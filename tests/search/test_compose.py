"""`compose.yaml` as far as it can be checked without a container: versions, options, databases."""

import shlex
from importlib.metadata import version

import yaml  # type: ignore[import-untyped]

from tests.search.command import REPOSITORY

SERVICES = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]


def test_the_mlflow_server_is_of_our_version_and_knows_its_options() -> None:
    from mlflow.cli import cli

    mlflow = SERVICES["mlflow"]
    assert mlflow["image"].endswith(f":v{version('mlflow')}")
    (_, command) = mlflow["command"][-1].split("&&")
    words = shlex.split(command)
    assert words[:2] == ["mlflow", "server"]
    known = {name for option in cli.commands["server"].params for name in option.opts}
    assert {word for word in words if word.startswith("--")} <= known
    # A driver by name: what a bare postgresql:// means depends on SQLAlchemy's version.
    assert mlflow["environment"]["MLFLOW_BACKEND_STORE_URI"].startswith("postgresql+psycopg2://")


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 2 and all(port.startswith("127.0.0.1:") for port in ports)


def test_optuna_and_mlflow_have_a_database_each() -> None:
    address = SERVICES["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"]
    database = address.rpartition("/")[2]
    assert database != SERVICES["postgres"]["environment"]["POSTGRES_DB"]
    assert f"createdb {database}" in SERVICES["make-mlflow-database"]["command"][-1]

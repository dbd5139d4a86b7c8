"""The commands with a team's servers: the study in PostgreSQL, the runs on an MLflow server."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from tests.search.command import SMOKE, environment, result, run, wait_until
from tests.search.mlflow_stores import answers, server_in
from tests.search.postgres import postgres_server


def test_every_printed_command_works_as_printed_and_json_is_json(tmp_path: Path) -> None:
    with postgres_server() as postgres, server_in(tmp_path) as (address, start_server):
        start_server()
        wait_until(lambda: answers(address))
        places = ("--storage", postgres.make("studies"), "--tracking-uri", address)
        first = result(run(tmp_path, *SMOKE, *places, "--json"))
        assert first["trials"] == {"finished": 4, "total": 4}
        # Nothing is left to train.
        again = run(tmp_path, *SMOKE, *places)
        assert again.returncode == 0, again.stderr
        labels = ("Look:", "Or put the best baseline into service:")
        commands = [
            line.removeprefix(label)
            for line in again.stdout.splitlines()
            for label in labels
            if line.startswith(label)
        ]
        assert len(commands) == 2
        for command in commands:
            words = shlex.split(command)
            done = subprocess.run(
                [sys.executable, *words[1:]],
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                text=True,
                timeout=240,
            )
            assert done.returncode == 0, done.stderr
        (use,) = [line for line in done.stdout.splitlines() if line.startswith("Use it:")]
        assert shlex.split(use)[-2:] == ["--tracking-uri", address]
        told = run(tmp_path, "--history", "--json", *places[2:], module="search.promote")
        assert [event["action"] for event in json.loads(told.stdout)] == ["promoted"]
        assert not list(tmp_path.glob("mlruns/*.db"))

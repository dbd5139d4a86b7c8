"""A search on two nodes of a cluster, one of which is lost while it trains."""

import re
import subprocess
import sys
from pathlib import Path

import psutil

from search.common.records import Cause
from tests.search.command import query, trial_states, wait_until
from tests.search.ray_cluster import trainers
from tests.search.two_nodes import two_nodes


def test_t3_a_cut_cable_loses_the_trials_of_that_node_alone(tmp_path: Path) -> None:
    with two_nodes() as nodes:
        words = [*nodes.inside, sys.executable, "-m", "search.run", "--experiment", "smoke"]
        words += ["--cluster", nodes.address, "--trials", "4", "--workers", "2"]
        log = tmp_path / "said"
        with log.open("w") as said:
            search = subprocess.Popen(
                words, cwd=tmp_path, env=nodes.environment, stdout=said, stderr=subprocess.STDOUT
            )
        try:
            wait_until(lambda: "2 of 2 agents are ready (1 on one, 1 on two)" in log.read_text())
            wait_until(lambda: len(trainers(nodes.address)) == 2)
            trained = trainers(nodes.address)
            nodes.cut()
            assert search.wait(timeout=240) == 0, log.read_text()
        finally:
            search.kill()
            search.wait()
    _, left = psutil.wait_procs(trained, timeout=10)
    assert not left
    text = log.read_text()
    assert "1 of 2 agents are ready (1 on one); 1 are waited for." in text
    states = list(trial_states(tmp_path).values())
    assert states.count("COMPLETE") + states.count("PRUNED") == 4
    assert states.count("FAIL") == 1 and len(states) == 5
    failed = re.findall(r"trial \d+ .*failed: (.*?): the agent on (\w+)", text)
    assert failed == [(Cause.NODE_LOST, "two")]
    statement = "select value_json from trial_user_attributes where key = 'retries_used'"
    assert query(tmp_path / "mlruns" / "optuna.db", statement) == [("0",)]

"""Short versions: real kills of workers and coordinators, and kills between the writes."""

import subprocess
import sys

from tests.search.command import REPOSITORY


def _chaos(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout


def test_s2_s10_t3_nothing_acknowledged_is_lost_under_kills() -> None:
    # So many trials that most searches are killed before they end: one that ends is started again.
    said = _chaos("--kills", "2", "--trials", "15", "--seed", "1")
    assert "killed: 2 workers, 2 coordinators" in said and "lost: 0" in said
    assert "0 doubled, 0 missing" in said


def test_s2_t3_nor_is_it_where_keras_tuner_draws() -> None:
    said = _chaos("--kills", "1", "--trials", "4", "--seed", "1", "--tuner", "keras-tuner")
    assert "killed: 1 workers, 1 coordinators" in said and "lost: 0" in said
    assert "0 doubled, 0 missing" in said


def test_s2_killed_between_any_two_writes_both_stores_come_in_line() -> None:
    said = _chaos("--every-write", "50", "--first", "7")
    assert "killed before 5 of" in said, said


def test_s11_memory_of_tiny_trials_stays_bounded() -> None:
    said = _chaos("--memory", "22", "--workers", "1")  # which is replaced once
    assert "22 tiny trials" in said and "sound" in said

"""Replayed searches: the clock, the ends of a trial, and a comparison with a known answer."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.testing import assert_allclose

from experiments.lstm_space import to_flat
from models.parameters import TrialParameters
from search.benchmark import curves as curves_command
from search.benchmark.curves import (
    Curves,
    FloatArray,
    Surrogate,
    features,
    read_curves,
    whole_curves,
    write_curves,
)
from search.benchmark.replay import Replayed, ReplayPool, replay
from search.common.drawing import OPTUNA, Drawing
from search.common.errors import REFUSED_OR_FAILED, WRONG_INPUT
from search.common.records import State, TrialRecord
from search.tuning.kept_studies import KeptStudy
from tests.search.command import environment
from tests.search.samples import EPOCHS, error_of, experiment, facts, parameters, result


def train(point: TrialParameters, seed: int) -> tuple[FloatArray, float]:
    """A curve that falls to the point's error; one second an epoch."""
    del seed
    return error_of(to_flat(point)) * (1 + 3 / np.arange(1, EPOCHS + 1)), 1.0


def played(pruner: str, trials: int = 30, limit: float = 1e9, workers: int = 2) -> Replayed:
    plan = experiment(trials=trials)
    return replay(
        plan, facts(), ReplayPool(train, workers, 0.5, limit), Drawing(OPTUNA, "random", pruner), 4
    )


def test_without_pruning_every_trial_takes_its_epochs_and_its_overhead() -> None:
    found = played("none", trials=6, workers=1)
    assert [at for at, _ in found.steps] == pytest.approx([20.5 * n for n in range(1, 7)])
    assert found.pruned == 0 and found.missed == np.inf


def test_workers_run_side_by_side() -> None:
    assert played("none", trials=6).steps[-1][0] == pytest.approx(61.5)


def test_a_pruner_saves_time_and_its_best_never_rises() -> None:
    found, plain = played("median"), played("none")
    assert found.pruned > 5
    assert found.steps[-1][0] < plain.steps[-1][0]
    best = [value for _, value in found.steps]
    assert best == sorted(best, reverse=True)
    # The curves do not cross, so nothing that was pruned would have been the best.
    assert found.missed > best[-1]


def test_the_limit_ends_it_and_what_ran_does_not_count() -> None:
    found = played("none", limit=45.0)
    assert [at for at, _ in found.steps] == pytest.approx([20.5, 20.5, 41.0, 41.0])
    assert found.best_after(20.0) == np.inf
    assert found.best_after(41.0) == found.steps[-1][1]


def test_patience_ends_a_trial_as_in_training() -> None:
    def flat(point: TrialParameters, seed: int) -> tuple[FloatArray, float]:
        del point, seed
        return np.array([0.1] * EPOCHS), 1.0

    plan = experiment(trials=1)
    found = replay(plan, facts(), ReplayPool(flat, 1, 0.0, 1e9), Drawing(OPTUNA, "random", "none"))
    assert found.steps == ((1.0 + parameters().patience, 0.1),)


def _curves(count: int = 40) -> Curves:
    generator = np.random.default_rng(0)
    points = tuple(
        parameters(units=(int(units),), l2=float(l2))
        for units, l2 in zip(
            generator.integers(2, 64, count), 10 ** generator.uniform(-6, -2, count), strict=True
        )
    )
    level = np.array([1e-3 * point.units[0] for point in points])
    fall = 1 + 3 / np.arange(1, EPOCHS + 1)
    noise = np.exp(generator.normal(0, 0.05, (count, EPOCHS)))
    return Curves(points, level[:, None] * fall * noise)


def test_curves_survive_the_table(tmp_path: Path) -> None:
    curves = _curves()
    write_curves(curves, tmp_path / "curves.csv")
    again = read_curves(tmp_path / "curves.csv")
    assert [one.units for one in again.parameters] == [one.units for one in curves.parameters]
    assert_allclose(again.val_mse, curves.val_mse, rtol=1e-3)


def test_a_curve_keeps_what_is_learned_read_and_scheduled(tmp_path: Path) -> None:
    changed = parameters().model_copy(
        update={"target": "change", "inputs": "changes", "lookback": 48, "schedule": "cosine"}
    )
    points = (changed, parameters())  # the second reads the whole window
    write_curves(Curves(points, np.full((2, EPOCHS), 0.02)), tmp_path / "curves.csv")
    again = read_curves(tmp_path / "curves.csv")
    for one, other in zip(again.parameters, points, strict=True):
        for name in ("target", "inputs", "lookback", "schedule"):
            assert getattr(one, name) == getattr(other, name)
    seen = [features(one) for one in again.parameters]
    assert seen == [features(one) for one in points] and len(seen[0]) == len(seen[1])
    assert sum(a != b for a, b in zip(*seen, strict=True)) == 4


def test_the_surrogate_learns_what_decides_the_error_and_says_how_well() -> None:
    surrogate = Surrogate(_curves())
    small = surrogate.predict(parameters(units=(4,)), seed=1)
    large = surrogate.predict(parameters(units=(60,)), seed=1)
    assert small.shape == (EPOCHS,)
    assert large.min() > 4 * small.min()
    errors = surrogate.errors()
    assert errors["rank_correlation"] > 0.9 and 1.0 < errors["typical"] < 1.5
    # Among the best, less is left to explain.
    assert 0.0 < errors["rank_correlation_best"] < errors["rank_correlation"]
    assert 1.0 < errors["typical_best"] < 1.5


def test_the_surrogate_predicts_as_its_forest_does() -> None:
    surrogate, point = Surrogate(_curves()), parameters(units=(20,))
    mean = surrogate._trees.predict([features(point)])[0]
    off = np.log(surrogate.predict(point, seed=1)) - mean
    assert np.abs(surrogate._deviations - off).max(axis=1).min() < 1e-6


def test_the_same_seed_gives_the_same_curve_and_another_seed_another() -> None:
    surrogate = Surrogate(_curves())
    first, again, other = (surrogate.predict(parameters(), seed) for seed in (1, 1, 2))
    assert_allclose(first, again)
    assert not np.allclose(first, other)


def test_only_whole_curves_are_kept() -> None:
    whole = result(0.02, stopped_by="epochs")
    whole = dataclasses.replace(
        whole, epochs=EPOCHS, history={"val_mse": [0.02] * EPOCHS}, seconds_per_epoch=1.0
    )
    records = [
        TrialRecord(0, State.COMPLETE, {}, parameters(), 0, result=whole),
        TrialRecord(1, State.COMPLETE, {}, parameters(), 0, result=result()),
        TrialRecord(
            2, State.COMPLETE, {}, parameters(), 0, result=dataclasses.replace(whole, repeat_of=0)
        ),
        TrialRecord(3, State.FAILED, {}, parameters(), 0),
        TrialRecord(4, State.COMPLETE, {}, parameters(), 0, design="main", result=whole),
    ]
    curves = whole_curves(records, EPOCHS)
    assert curves.val_mse.shape == (1, EPOCHS) and curves.parameters == (parameters(),)


def test_exporting_refuses_studies_whose_curves_are_not_of_the_same_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dataclasses.replace(
        result(0.02, stopped_by="epochs"), epochs=EPOCHS, history={"val_mse": [0.02] * EPOCHS}
    )
    points = [parameters(units=(2 + n,)) for n in range(20)]
    records = tuple(
        TrialRecord(n, State.COMPLETE, {}, point, 0, result=whole) for n, point in enumerate(points)
    )

    def kept(name: str, epochs: int, window: int) -> KeptStudy:
        contract = {"epochs": epochs, "framing": {"window": window}}
        return KeptStudy(name, "id", contract, {}, records)

    studies = [kept("one", EPOCHS, 168), kept("longer", 50, 168), kept("short", EPOCHS, 24)]
    by_name = {one.name: one for one in studies}
    monkeypatch.setattr(curves_command, "open_existing", lambda *_: None)
    monkeypatch.setattr(curves_command, "read_study", lambda _, name: by_name[name])
    out = tmp_path / "curves.csv"

    def export(*names: str) -> Result:
        words = [word for name in names for word in ("--study", name)]
        return CliRunner().invoke(curves_command.main, [*words, "--out", str(out)])

    for names, said in (
        (("one", "longer"), f"expected studies of {EPOCHS} epochs, found one {EPOCHS}, longer 50"),
        (("one", "short"), "expected studies of 168 hours of window, found one 168, short 24"),
    ):
        refused = export(*names)
        assert refused.exit_code == WRONG_INPUT and said in refused.stderr and not out.exists()
    assert export("one").stdout.startswith(f"20 curves -> {out}")
    assert [one.units for one in read_curves(out).parameters] == [one.units for one in points]


def test_exporting_curves_creates_nothing_where_there_is_no_study(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "search.benchmark.curves", "--study", "nope"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == REFUSED_OR_FAILED
    assert "there is no study database" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []

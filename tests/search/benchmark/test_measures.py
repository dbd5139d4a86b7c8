"""Ratios, intervals and what is read off a race."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from search.benchmark import __main__ as benchmark
from search.benchmark import race
from search.benchmark.job import draw_points
from search.benchmark.measures import (
    best_so_far,
    best_until,
    paired_ratio,
    seconds_per_epoch,
    seconds_until,
)
from search.benchmark.report import figure, lines
from search.benchmark.turns import Contender, Epoch
from search.common.errors import REFUSED_OR_FAILED, Refused
from search.figures import png
from tests.search.samples import experiment


def _epoch(at: float, value: float = 1.0, trial: str = "0", epoch: int = 1) -> Epoch:
    return Epoch(at=at, trial=trial, epoch=epoch, value=value, flops=1e9)


def test_a_nearly_constant_ratio_is_found_with_a_narrow_interval() -> None:
    ratio = paired_ratio([2.001, 20.0, 199.9], [1.0, 10.0, 100.0])
    assert ratio.value == pytest.approx(2, rel=1e-3) and ratio.pairs == 3
    assert 1.99 < ratio.low < ratio.value < ratio.high < 2.01


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        ours = np.exp(rng.normal(0, 0.3, 8))
        ratio = paired_ratio(list(ours * 1.7 * np.exp(rng.normal(0, 0.2, 8))), list(ours))
        covered += ratio.low <= 1.7 <= ratio.high
    assert 0.92 <= covered / 400 <= 0.98


@pytest.mark.parametrize("wrong", [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, 0.0], [1.0, 1.0])])
def test_pairs_that_are_none_are_refused(wrong: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match=r"pairs|positive"):
        paired_ratio(*wrong)


def test_seconds_per_epoch_leave_out_the_first_and_keep_trials_apart() -> None:
    said = [
        _epoch(9, trial="a", epoch=1),
        _epoch(10, trial="b", epoch=1),
        _epoch(11, trial="a", epoch=2),
        _epoch(15, trial="b", epoch=2),
        _epoch(14, trial="a", epoch=3),
    ]
    assert seconds_per_epoch(said) == {"a": 2.5, "b": 5.0}


def test_best_so_far_falls_and_passes_over_what_is_not_finite() -> None:
    said = [_epoch(1, math.nan), _epoch(2, 3.0), _epoch(3, 4.0), _epoch(4, 1.0)]
    assert best_so_far(said) == [(2, 3.0), (4, 1.0)]
    assert seconds_until(said, 3.5) == 2 and seconds_until(said, 0.5) is None
    assert best_until(said, 3.9) == 3.0 and best_until(said, 4) == 1.0
    assert best_until(said, 1.5) is None


def test_drawn_points_lie_in_the_space_and_follow_from_the_seed() -> None:
    space = experiment().space
    points = draw_points(space, 50, seed=3)
    assert [space.problems(point) for point in points] == [[]] * 50
    assert points == draw_points(space, 50, seed=3) != draw_points(space, 50, seed=4)
    assert {point["layers"] for point in points} == {1, 2, 3}


def _found(ours: list[float], stock: list[float]) -> dict[str, object]:
    def one(values: list[float]) -> dict[str, object]:
        said = [
            {"at": 10.0 * i, "trial": "0", "epoch": i, "value": v, "flops": 1e9}
            for i, v in enumerate(values, 1)
        ]
        return {
            "seconds": 100.0,
            "epochs": len(values),
            "trials": 1,
            "epochs_per_second": len(values) / 100,
            "gflops": 1.0,
            "best_val_mse": min(values, default=None),
            "epochs_said": said,
        }

    size = "64/32 x 32"
    seconds = {
        "product": [0.1],
        f"kernels {size}": [0.1, 0.11],
        f"fused {size}": [0.2, 0.21],
        f"stock {size}": [0.4, 0.43],
    }
    return {
        "workers": 2,
        "steps": {
            "seconds": seconds,
            "flops": dict.fromkeys(seconds, 1e9),
        },
        "points": [{}, {}],
        "seconds_per_epoch": {"ours": {"0": 1.0}, "stock": {"0": 3.0}},
        "epochs_per_second_ratio": {"value": 6.0, "low": 5.0, "high": 7.0, "pairs": 2},
        "search": {"ours": one(ours), "stock": one(stock)},
    }


def test_the_text_says_the_ratios() -> None:
    text = "\n".join(lines(_found([0.3, 0.1], [0.5, 0.4, 0.35])))
    assert "6.00x (95 % 5.00 to 7.00, n = 2)" in text
    # 1e9 operations in 0.105 s, of as many in 0.1 s.
    assert "64/32 x 32            105.0     205.0     415.0         95%   1.95x" in text
    assert "best error in 0.33 times the stock loop's time" in text


def test_the_race_is_read_at_the_time_of_the_shortest() -> None:
    found: Any = _found([0.3, 0.1], [0.5, 0.4, 0.35])
    found["search"]["ours"]["seconds"] = 15.0
    head, ours, stock = "\n".join(lines(found)).split("Search (")[1].splitlines()[1:4]
    assert "after 15 s" in head
    # 0.1 and 0.4 came after 20 s.
    assert ours.split()[6:8] == ["0.100000", "0.300000"]
    assert stock.split()[6:8] == ["0.350000", "0.500000"]


def test_trials_that_were_counted_tell_how_long_as_many_of_the_stock_loop_would_take() -> None:
    found: Any = _found([0.3, 0.1], [0.5, 0.4, 0.35]) | {"trials": {"ours": 50, "stock": 2}}
    stock = found["search"]["stock"]
    stock["trials"] = 2
    for epoch, (at, trial) in zip(
        stock["epochs_said"], ((50.0, "0"), (90.0, "0"), (200.0, "1")), strict=True
    ):
        epoch |= {"at": at, "trial": trial}
    text = "\n".join(lines(found))
    # 90 and 110 seconds; ours came to its best after 20.
    assert "2 trials took 100 s each (95 % -27 to 227), so 50 of them would take 1.4 h" in text
    assert "ours took 1 / 250.0 of its time" in text


@pytest.mark.parametrize(("ours", "stock"), [([], [0.2]), ([0.9], [0.2]), ([], []), ([0.2], [])])
def test_a_race_without_a_winner_is_told_and_drawn(ours: list[float], stock: list[float]) -> None:
    found: Any = _found(ours, stock) | {"trials": {"ours": 50, "stock": 8}}
    text = "\n".join(lines(found))
    assert "Too few trials to estimate" in text
    assert "nan" not in text and ("never" in text or not stock)
    assert png(figure(found)).startswith(b"\x89PNG")


def test_what_was_measured_before_a_failure_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_parts(*_: object) -> Iterator[dict[str, object]]:
        yield {"steps": [1.0, 2.0]}
        raise Refused("the benchmark's contender 'stock' ended with code 1")

    monkeypatch.setattr("search.benchmark.race.race", two_parts)
    done = CliRunner().invoke(benchmark.main, ["--out", str(tmp_path)])
    assert done.exit_code == REFUSED_OR_FAILED and f"{tmp_path}/benchmark.json" in done.stderr
    assert json.loads((tmp_path / "benchmark.json").read_text())["steps"] == [1.0, 2.0]


def test_one_configuration_alike_is_no_comparison(tmp_path: Path) -> None:
    both = [Contender(name, [], tmp_path / "log", 1.0) for name in ("ours", "stock")]
    for one, seconds in zip(both, (1.0, 3.0), strict=True):
        one.epochs = [_epoch(seconds * epoch, epoch=epoch) for epoch in (1, 2)]
    with pytest.raises(Refused, match=r"two or more configurations .* found 1 of 5"):
        race._paired(both, 5)

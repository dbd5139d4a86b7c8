"""Random series in random makes: read to the truth or refused, never to another series; D23."""

from pathlib import Path

import pytest

from tests.data_pipeline.makes import judge_many


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(4))
def test_d23_no_random_make_is_read_to_another_series(seed: int, tmp_path: Path) -> None:
    found = judge_many(500, seed, tmp_path)
    # Where it asks, one of the ways leads to the truth.
    assert found["read"] > 320 and found["refused"] < 5

"""How `search.predict` reads a file by the rules that a model has kept."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_pipeline.load import load_series
from data_pipeline.source import DataSource
from search import predict


@pytest.mark.parametrize("earlier", [False, True])
def test_d22_a_model_of_an_earlier_version_reads_files_as_it_did(
    tmp_path: Path, earlier: bool
) -> None:
    path = tmp_path / "meter.csv"
    times = pd.date_range("2021-05-03", periods=300, freq="h")
    rows = [
        f"{time:%Y-%m-%d %H:%M},{0 if at == 50 else 40 + at % 7},{'Missing' if at == 50 else 'OK'}"
        for at, time in enumerate(times)
    ]
    path.write_text("\n".join(["Date,Usage,Status", *rows]) + "\n", encoding="utf-8")
    source = DataSource(path=path, unit="kW", features=(), gaps="interpolate")
    kept = load_series(source)[1].rules.model_dump(mode="json")
    if earlier:
        del kept["edition"]
    facts: dict[str, Any] = {
        "reading": kept,
        "time": "Date",
        "target": "Usage",
        "features": [],
        "zone": None,
        "unit": "kW",
    }
    options: dict[str, Any] = {str(one.name): None for one in predict.main.params}
    series = predict._series(options | {"data": path, "time": (), "where": ()}, facts)
    assert len(series) == 300 and series.target[50] == (0.0 if earlier else 41.0)

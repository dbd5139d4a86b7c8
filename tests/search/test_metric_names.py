"""The documented metric names are those that are logged."""

import re
from pathlib import Path

from models.metrics import METRICS
from models.parameters import TrialParameters
from search.records import Baseline, State, StudyFacts, TrialRecord, TrialResult
from search.summary import REFERENCE, final_metrics

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_every_logged_metric_is_documented_and_every_documented_one_is_logged() -> None:
    names = [metric.name for metric in METRICS if metric.name != "skill"]
    judged = dict.fromkeys(names, 1.0)
    curves = {"loss": [1.0], "val_loss": [1.0], "val_mse": [1.0], "learning_rate": [1.0]}
    result = TrialResult(
        objective=1.0,
        train_objective=1.0,
        history=curves,
        best_epoch=1,
        epochs=1,
        stopped_by="epochs",
        train=judged,
        validation=judged,
        parameter_count=1,
        seconds=1.0,
        seconds_per_epoch=1.0,
        device="cpu",
        device_name="a processor",
    )
    parameters = TrialParameters(
        units=(1,), dropout=(0.0,), l2=0.0, learning_rate=0.1, batch_size=1, patience=1, epochs=1
    )
    record = TrialRecord(0, State.COMPLETE, {}, parameters, seed=0, result=result)
    facts = StudyFacts(
        name="s",
        experiment="e",
        summary="",
        seed=0,
        total=1,
        contract={},
        unit="MW",
        target_range=1.0,
        baselines={REFERENCE: Baseline(1.0, judged)},
        data={},
    )
    logged = final_metrics(record, facts).keys() | curves.keys()

    text = PAGE.read_text(encoding="utf-8")
    tables = text[: text.index("## On the study's run")]
    rows = re.findall(r"^\| ([^|]+) \|", tables, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert documented == logged

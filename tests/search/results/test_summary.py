"""What a person and a program read of a study."""

import csv
import dataclasses
import io
import json
import math
import re

import numpy as np
import pytest

from search.common.records import Cause, Failure, State, TrialRecord
from search.results.sentences import end_lines, parameter_text, score_lines, trade_off, verdict
from search.results.summary import (
    StudySummary,
    amount,
    final_metrics,
    fits,
    result_json,
    scoreboard,
    trial_name,
    trials_table,
)
from search.tracking.descriptions import description
from tests.search.samples import baseline, facts, record, result

DIED = Failure(Cause.WORKER_DIED, 'its "process", killed\nby -9')
RECORDS = (
    record(0, result(0.035), design="small"),
    record(1, result(0.05, "pruner")),
    record(2, DIED),
    record(3, result(0.02), retry_of=2, attempt=2),
    record(4, result(0.01, "pruner")),  # lower, but not completed
    record(5),
    record(6, Failure(Cause.INTERRUPTED, "stopped"), State.INTERRUPTED),
)
SUMMARY = StudySummary(RECORDS, finished=5)
NONE = StudySummary((record(0, DIED),), finished=1)


def undefined(of: TrialRecord, *names: str) -> TrialRecord:
    """The same with metrics that are not defined on these data."""
    assert of.result is not None
    scores = of.result.held_out | dict.fromkeys(names, math.nan)
    return dataclasses.replace(of, result=dataclasses.replace(of.result, held_out=scores))


def test_scoreboard_ranks_best_designs_and_baselines_by_error() -> None:
    rows = scoreboard(SUMMARY, facts())
    assert [row["name"] for row in rows] == [
        "best: trial 3 attempt 2",
        "ridge_by_hour",
        "small (trial 0)",
        "same_hour_last_week",
        "last_value",
    ]
    assert [row["kind"] for row in rows] == ["best", "baseline", "design", "baseline", "baseline"]
    # Against the strongest of them, not against a weak one.
    assert rows[1]["skill"] == pytest.approx(0.0)
    assert rows[0]["skill"] == pytest.approx(1 - math.sqrt(0.02 / 0.03))
    assert rows[3]["skill"] == pytest.approx(1 - math.sqrt(0.04 / 0.03))
    assert rows[0]["rmse"] == pytest.approx(1000 * math.sqrt(0.02))


def test_best_stands_before_a_baseline_as_good_and_not_once_more_as_a_design() -> None:
    summary = StudySummary((record(0, result(0.03), design="small"),), 1)
    rows = scoreboard(summary, facts())
    assert rows[0]["kind"] == "best" and rows[0]["name"] == "best: trial 0 small"
    assert [row["kind"] for row in rows].count("design") == 0


def test_a_design_of_several_seeds_stands_there_with_mean_and_spread() -> None:
    objectives = (0.04, 0.05, 0.09)
    records = tuple(record(i, result(e), design="small") for i, e in enumerate(objectives))
    row = next(r for r in scoreboard(StudySummary(records, 3), facts()) if r["kind"] == "design")
    rmse = [1000 * math.sqrt(e) for e in objectives]
    assert row["rmse"] == pytest.approx(sum(rmse) / 3)
    assert row["best_val_mse"] == pytest.approx(0.06)
    assert row["seeds"] == 3 and row["rmse_sd"] == pytest.approx(np.std(rmse, ddof=1))
    assert row["name"] == f"small (3 seeds, sd {np.std(rmse, ddof=1):.1f})"


def test_data_that_repeat_exactly_are_said_to_need_no_network() -> None:
    exact = {"same_hour_last_week": baseline(0.0)}
    summary = StudySummary((record(0, result(0.03)),), 1)
    told = dataclasses.replace(facts(), baselines=exact)
    text = "\n".join(end_lines(summary, told, "python -m search.ui", "python -m search.promote"))
    assert "makes no error" in text and "nan" not in text


def test_fewer_trials_asked_for_than_are_done_reads_as_all_done() -> None:
    text = end_lines(
        StudySummary(RECORDS, 5), facts(total=2), "python -m search.ui", "python -m search.promote"
    )[0]
    assert text.startswith("Study tiny: 5 of 5 trials")


def test_without_a_completed_trial_no_promotion_is_offered() -> None:
    told = "python -m search.ui", "python -m search.promote"
    assert "Promote" not in "\n".join(end_lines(NONE, facts(), *told))
    assert "Promote: python -m search.promote" in end_lines(SUMMARY, facts(), *told)


def test_scoreboard_without_a_completed_trial_holds_the_baselines() -> None:
    rows = scoreboard(NONE, facts())
    assert [row["name"] for row in rows] == ["ridge_by_hour", "same_hour_last_week", "last_value"]
    assert "no trial has completed" in verdict(NONE, facts()).lower()
    assert "No trade-off" in trade_off(NONE, facts())


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        (0.02, "beats the strongest baseline, ridge_by_hour: RMSE 141.4 against 173.2 MW (18.4% l"),
        (0.04, "does not beat the strongest baseline, ridge_by_hour: RMSE 200.0 against 173.2 MW"),
        (0.04, "MW (15.5% higher) on the validation windows. So far these data need no network."),
        (0.03, "does not beat"),
    ],
)
def test_verdict_says_which_way_and_by_how_much(objective: float, said: str) -> None:
    assert said in verdict(StudySummary((record(0, result(objective)),), 1), facts())


def test_trade_off_compares_both_errors_in_the_unit() -> None:
    text = trade_off(SUMMARY, facts())
    assert "127.3 MW on the training windows" in text and "141.4 MW on the validation" in text
    assert "ratio 1.11" in text and "the best trial's fit is balanced" in text
    assert "Completed trials: 0 underfit, 2 balanced, 0 overfit." in text


def test_a_trial_far_above_the_lowest_train_error_is_underfit() -> None:
    summary = StudySummary((record(0, result(0.01)), record(1, result(0.04))), 2)
    assert [str(fit.regime) for fit in fits(summary.records, {}).values()] == [
        "balanced",
        "underfit",
    ]
    rows = list(csv.DictReader(trials_table(summary, facts()).splitlines()))
    assert [row["regime"] for row in rows] == ["balanced", "underfit"]
    assert float(rows[1]["fit_excess"]) == pytest.approx(2.0)


def test_score_lines_are_one_aligned_table() -> None:
    lines = score_lines(SUMMARY, facts())
    assert len(lines) == 1 + len(scoreboard(SUMMARY, facts()))
    assert len({len(line) for line in lines}) == 1
    best = dataclasses.replace(undefined(RECORDS[3], "mase"), design="")
    lines = score_lines(StudySummary((best,), 1), facts())
    assert len({len(line) for line in lines}) == 1
    assert "nan" not in "\n".join(lines)


def test_description_is_a_markdown_page_with_the_numbers() -> None:
    text = description(SUMMARY, facts(total=9))
    lines = text.splitlines()
    assert re.search(r"5 of 9 trials\W+\(2 complete, 2 pruned, 1 failed, 1 interrupted\)", text)
    assert "141.4" in text and "+18.4%" in text and "study seed 7" in text
    assert "python -m search.promote --study tiny" in text
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(scoreboard(SUMMARY, facts()))
    assert len({line.count("|") for line in table}) == 1
    assert lines[lines.index(table[0]) - 1] == ""
    heads, *rows = [line.strip("| ").split(" | ") for line in table if "---" not in line]
    best = next(row for row in rows if row[0] == "best: trial 3 attempt 2")
    shown = {"RMSE MW": "141.4", "MAE MW": "113.1", "peak bias MW": "-42.4", "skill": "+18.4%"}
    assert dict(zip(heads, best, strict=True)).items() >= shown.items()


def test_end_lines_name_best_failures_and_next_steps() -> None:
    text = "\n".join(
        end_lines(SUMMARY, facts(total=9), "python -m search.ui", "python -m search.promote")
    )
    assert "Study tiny: 5 of 9 trials" in text
    assert "Best: trial 3 attempt 2: units 7," in text
    assert "patience 6, target level, inputs cycles\n" in text
    assert "Failed, worker died: trials 2" in text
    assert "python -m search.ui" in text and "search.promote" in text


def test_trials_table_parses_as_csv_with_one_row_an_attempt() -> None:
    rows = list(csv.DictReader(io.StringIO(trials_table(SUMMARY, facts()))))
    assert [row["trial"] for row in rows] == [str(r.number) for r in RECORDS]
    assert [row["state"] for row in rows] == [str(r.state) for r in RECORDS]
    assert rows[2]["failure"] == f"worker died: {DIED.message}"
    assert rows[2]["best_val_mse"] == "" and rows[0]["failure"] == ""
    assert float(rows[3]["best_val_mse"]) == 0.02
    assert rows[3]["units_1"] == "7" and rows[3]["attempt"] == "2"
    assert all(None not in row and None not in row.values() for row in rows)
    assert trials_table(StudySummary((), 0), facts()).strip() == ""


def test_final_metrics_are_finite_and_name_the_period() -> None:
    found = final_metrics(undefined(RECORDS[3], "mase", "r2"), facts())
    assert all(math.isfinite(value) for value in found.values())
    assert "val_mase" not in found and "train_mase" in found
    assert found["best_val_mse"] == 0.02
    assert found["best_val_loss"] == pytest.approx(0.022)
    assert found["val_skill"] == pytest.approx(1 - math.sqrt(0.02 / 0.03))
    assert not any("test" in name for name in found)


@pytest.mark.parametrize("summary", [SUMMARY, NONE, StudySummary((), 0)])
def test_result_json_is_strict_json_with_the_same_numbers(summary: StudySummary) -> None:
    told = json.loads(json.dumps(result_json(summary, facts(9), "done"), allow_nan=False))
    assert told["trials"] == {"finished": summary.finished, "total": 9}
    if summary is SUMMARY:
        assert told["best"]["trial"] == 3
        assert told["best"]["parameters"]["units"] == [7]
        assert told["best"]["parameters"]["target"] == "level"
        assert told["best"]["metrics"]["best_val_mse"] == 0.02
    else:
        assert told["best"] is None


def test_result_json_stays_strict_where_a_metric_is_not_defined() -> None:
    records = (undefined(RECORDS[3], "mase", "peak_bias"),)
    told = result_json(StudySummary(records, 1), facts(), "done")
    json.dumps(told, allow_nan=False)


def test_trial_name_says_design_and_attempt() -> None:
    assert trial_name(record(4)) == "trial 4"
    assert trial_name(record(4, design="small", attempt=3)) == "trial 4 small attempt 3"


@pytest.mark.parametrize(
    ("value", "written"),
    [(141.42, "141.4"), (10.0, "10.0"), (9.876, "9.88"), (0.03214, "0.0321"), (-0.5, "-0.5")],
)
def test_amounts_keep_their_digits_in_small_units(value: float, written: str) -> None:
    assert amount(value) == written


def test_small_units_are_told_apart_in_verdict_and_table() -> None:
    small = dataclasses.replace(
        facts(), baselines={"ridge_by_hour": baseline(0.03, target_range=0.2)}, unit="GW"
    )
    summary = StudySummary((record(0, result(0.02, target_range=0.2)),), 1)
    text = "\n".join(end_lines(summary, small, "python -m search.ui", "python -m search.promote"))
    assert "RMSE 0.0283 against 0.0346 GW" in text and " 0.0 " not in text


def test_the_studys_page_says_how_often_the_test_period_was_opened() -> None:
    page = description(SUMMARY, facts())
    assert "The test period has not been opened." in page
    for count, times in ((1, "once"), (3, "3 times")):
        opened = description(SUMMARY, dataclasses.replace(facts(), openings=count))
        assert f"opened {times}, by promotion" in opened and "not been opened" not in opened


def test_a_study_without_baselines_has_a_page_all_the_same() -> None:
    page = description(SUMMARY, dataclasses.replace(facts(), baselines={}))
    assert "The lowest validation RMSE is" in page and "skill" in page


def test_what_a_network_learns_reads_and_how_its_rate_falls_is_told() -> None:
    changes = {"target": "change", "inputs": "changes", "lookback": 48, "schedule": "cosine"}
    plain = RECORDS[3]
    assert plain.parameters is not None
    told = parameter_text(
        dataclasses.replace(plain, parameters=plain.parameters.model_copy(update=changes))
    )
    assert told.endswith("target change, inputs changes, lookback 48 h, cosine schedule")

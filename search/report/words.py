"""The report's words in each language; every language has every key (a test holds this)."""

from typing import Literal

Language = Literal["en", "ko"]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Underfitting and overfitting in numbers",
        "verdict": "The verdict",
        "tradeoff": "Error against regularisation",
        "train_val": "Train error against validation error",
        "claims": "The claims, one by one",
        "scores": "All scores beside the baselines",
        "repeat": "Data, seeds, and how to repeat it",
        "underfit": "underfit",
        "balanced": "balanced",
        "overfit": "overfit",
        "holds": "holds",
        "does not hold here": "does not hold here",
        "undecided": "undecided",
        "yes_underfit": "{name} is underfitting: {count} of {seeds} seeds are labelled underfit. "
        "On the training windows its RMSE is {train} {unit}, {excess} times what is "
        "attainable; at the peaks of the validation windows it forecasts {bias} {unit} {side}.",
        "not_underfit": "{name} is not underfitting here: {count} of {seeds} seeds are labelled "
        "underfit. On the training windows its RMSE is {train} {unit}, {excess} times what is "
        "attainable; at the peaks of the validation windows it forecasts {bias} {unit} {side}.",
        "too_low": "too low",
        "too_high": "too high",
        "cures": "What cures it: {list}; the change in validation RMSE is {mean} {unit} for the "
        "strongest, {name} (95 % interval {low} to {high}).",
        "no_cure": "None of the cures that the notes claim is proven by these seeds.",
        "best": "The best network found, {name} of {study} ({regime}), has a validation RMSE of "
        "{rmse} {unit}, {relation} the strongest baseline, {baseline}, with {other} {unit}.",
        "lower": "below",
        "higher": "above",
        "untried": "Not tried here: {what}. Next: {command}",
        "no_curves": "No study of this report varies regularisation alone. Next: {command}",
        "arms": "{network}, {kind}: lowest at {strength} with {rmse} {unit}; {arms}.",
        "both_arms": "both arms of the U are there",
        "left_only": "only the left arm is there: stronger regularisation than the lowest was not "
        "measurably worse",
        "right_only": "only the right arm is there: the network did not learn the training windows "
        "by heart, so less regularisation was not measurably worse",
        "no_arms": "neither arm is measurable",
        "kind_l2": "L2",
        "kind_dropout": "dropout",
        "axis_l2": "L2 penalty (1)",
        "axis_dropout": "Dropout rate (1)",
        "network": "units {units}",
        "rmse_axis": "RMSE ({unit})",
        "train": "training windows",
        "validation": "validation windows",
        "lowest": "lowest validation error",
        "search_best": "best of the search",
        "bands": "Bands: 95 % interval over seeds. Last weights, no early stopping.",
        "train_axis": "Train RMSE ({unit})",
        "val_axis": "Validation RMSE ({unit})",
        "equal": "equal errors",
        "claim": "claim",
        "comparison": "compared",
        "metric": "measured",
        "difference": "difference (95 %)",
        "seeds": "seeds",
        "needed": "seeds to decide",
        "verdict_head": "verdict",
        "name": "name",
        "seed_sd": "sd over seeds",
        "peak_bias": "peak bias",
        "regime": "regime",
        "skill": "skill",
        "against": "{treatment} - {control}",
        "expected_lower": "expected lower",
        "expected_higher": "expected higher",
        "not_measured": "not measured",
        "more_than": "more than 200",
        "claims_note": "Differences are paired by seed, with 95 % t intervals. A claim holds if all "
        "its comparisons come out as foretold after Holm's correction for ten claims; it does not "
        "hold here if one goes the other way, or is too small to matter (under 2 %).",
        "scores_note": "On the validation windows, on which the best of a search was also chosen; "
        "the test period is closed. Skill is 1 - RMSE / RMSE of the same hour last week. Regimes: "
        "overfit from a validation RMSE of 1.5 times the train RMSE, underfit from a train RMSE of "
        "1.5 times what is attainable: the lowest of all trials, or the best baseline's error.",
        "data": "data",
        "columns": "columns",
        "windows": "windows",
        "window_text": "{window} hours seen, {horizon} forecast; split {train} / {validation} / "
        "{test} in time",
        "study": "study",
        "experiment": "experiment",
        "attempts": "attempts",
        "command": "command",
        "best_row": "best: {name} of {study}",
        "design_row": "{name} ({seeds} seeds)",
        "trial": "trial {number}",
    },
    "ko": {
        "title": "숫자로 보는 과소적합과 과대적합",
        "verdict": "판정",
        "tradeoff": "정규화 강도에 따른 오차",
        "train_val": "학습 오차와 검증 오차",
        "claims": "주장별 검증",
        "scores": "모든 점수와 기준 모형",
        "repeat": "데이터, 시드, 재현 방법",
        "underfit": "과소적합",
        "balanced": "균형",
        "overfit": "과대적합",
        "holds": "성립",
        "does not hold here": "여기서는 성립하지 않음",
        "undecided": "판단 보류",
        "yes_underfit": "{name}은(는) 과소적합입니다. 시드 {seeds}개 중 {count}개가 과소적합으로 "
        "분류되었고, 학습 구간 RMSE는 {train} {unit}로 도달 가능한 값의 {excess}배이며, 검증 구간의 "
        "피크에서 {bias} {unit} {side} 예측합니다.",
        "not_underfit": "{name}은(는) 여기서 과소적합이 아닙니다. 시드 {seeds}개 중 {count}개가 "
        "과소적합으로 분류되었고, 학습 구간 RMSE는 {train} {unit}로 도달 가능한 값의 {excess}배이며, "
        "검증 구간의 피크에서 {bias} {unit} {side} 예측합니다.",
        "too_low": "낮게",
        "too_high": "높게",
        "cures": "해결책: {list}. 가장 강한 {name}의 검증 RMSE 변화는 {mean} {unit}입니다(95 % 구간 "
        "{low} ~ {high}).",
        "no_cure": "자료가 주장하는 해결책 가운데 이 시드들로 입증된 것은 없습니다.",
        "best": "가장 좋은 신경망은 {study}의 {name}({regime})이며, 검증 RMSE는 {rmse} {unit}로 가장 "
        "강한 기준 모형 {baseline}의 {other} {unit}보다 {relation}.",
        "lower": "낮습니다",
        "higher": "높습니다",
        "untried": "여기서 시험하지 않음: {what}. 다음: {command}",
        "no_curves": "이 보고서의 스터디는 정규화만 바꾸어 보지 않았습니다. 다음: {command}",
        "arms": "{network}, {kind}: {strength}에서 최저 {rmse} {unit}; {arms}.",
        "both_arms": "U자의 양쪽 팔이 모두 나타남",
        "left_only": "왼쪽 팔만 나타남: 더 강한 정규화가 측정 가능하게 나쁘지는 않았음",
        "right_only": "오른쪽 팔만 나타남: 신경망이 학습 구간을 외우지 않아 정규화를 줄여도 측정 "
        "가능하게 나빠지지 않았음",
        "no_arms": "어느 팔도 측정되지 않음",
        "kind_l2": "L2",
        "kind_dropout": "드롭아웃",
        "axis_l2": "L2 벌점 (1)",
        "axis_dropout": "드롭아웃 비율 (1)",
        "network": "유닛 {units}",
        "rmse_axis": "RMSE ({unit})",
        "train": "학습 구간",
        "validation": "검증 구간",
        "lowest": "최저 검증 오차",
        "search_best": "탐색의 최고 결과",
        "bands": "띠: 시드에 대한 95 % 구간. 마지막 가중치, 조기 종료 없음.",
        "train_axis": "학습 RMSE ({unit})",
        "val_axis": "검증 RMSE ({unit})",
        "equal": "같은 오차",
        "claim": "주장",
        "comparison": "비교",
        "metric": "측정값",
        "difference": "차이 (95 %)",
        "seeds": "시드",
        "needed": "판단에 필요한 시드",
        "verdict_head": "판정",
        "name": "이름",
        "seed_sd": "시드 간 표준편차",
        "peak_bias": "피크 편향",
        "regime": "적합 상태",
        "skill": "스킬",
        "against": "{treatment} - {control}",
        "expected_lower": "낮을 것으로 예상",
        "expected_higher": "높을 것으로 예상",
        "not_measured": "측정하지 않음",
        "more_than": "200개 초과",
        "claims_note": "차이는 시드별로 짝지었고 95 % t 구간을 붙였습니다. 열 개의 주장에 대한 Holm "
        "보정 뒤 모든 비교가 예상대로 나오면 성립, 하나라도 반대이거나 너무 작으면(2 % 미만) 여기서는 "
        "성립하지 않음입니다.",
        "scores_note": "검증 구간의 점수이며, 탐색의 최고 결과도 이 구간에서 골랐습니다. 시험 구간은 "
        "열지 않았습니다. 스킬은 1 - RMSE / 지난주 같은 시각의 RMSE입니다. 검증 RMSE가 학습 RMSE의 "
        "1.5배 이상이면 과대적합, 학습 RMSE가 도달 가능한 값(모든 시행의 최저값 또는 가장 좋은 기준 모형의 오차)의 1.5배 이상이면 과소적합입니다.",
        "data": "데이터",
        "columns": "열",
        "windows": "창",
        "window_text": "{window}시간을 보고 {horizon}시간을 예측; 시간순 분할 {train} / {validation} / "
        "{test}",
        "study": "스터디",
        "experiment": "실험",
        "attempts": "시행",
        "command": "명령",
        "best_row": "최고: {study}의 {name}",
        "design_row": "{name} (시드 {seeds}개)",
        "trial": "시행 {number}",
    },
}

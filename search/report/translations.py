"""The report's words in each language. A test checks that every language has every key."""

from typing import Literal

from experiments.claims import CLAIMS as ENGLISH_CLAIMS
from experiments.slips import CLAIM as SLIPS
from models.metrics import METRICS, SKILL
from search.report.korean import with_particles
from search.report.wall_words import WALL_WORDS

Language = Literal["en", "ko"]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        **{metric.name: metric.title for metric in (*METRICS, SKILL)},
        "title": "Underfitting and overfitting in numbers",
        "verdict": "The verdict",
        "train_val": "Train error against validation error",
        "typical": "A typical learning curve of each regime",
        "epoch": "Epoch (counted from 1)",
        "loss_axis": "Loss (scaled target squared, 1)",
        "loss": "training loss, with penalty and dropout",
        "val_mse": "validation MSE, without penalty",
        "loss_note": "The training loss is measured with dropout and includes the penalty, so it "
        "is not comparable with the validation MSE.",
        "week": "One week of actual and forecast demand",
        "hour_axis": "Time (month-day, hourly, the data's clock)",
        "usage_axis": "Usage ({unit})",
        "actual": "actual",
        "forecast": "forecast, one hour ahead",
        "peak": "peak hour: the highest tenth of the actual values",
        "week_note": "The first validation week. Of several seeds, the one with the median RMSE.",
        "no_week": "MLflow holds no forecasts of these trials.",
        "claims": "The claims, one by one",
        "found": "What the search found",
        "parameter": "parameter",
        "importance": "importance (95 %)",
        "searched": "searched",
        "best_lie": "the best tenth lie in",
        "edge": "edge",
        "edge_low": "at the lower end: widen it",
        "edge_high": "at the upper end: widen it",
        "not_searched": "No study of this report drew enough trials. Next: {command}",
        "found_note": "The best tenth of the completed trials, but at least five. An edge is named "
        "if at least half of them, and at least three, lie within 5 % of it, on the dimension's own "
        "scale. Importance: the parameter's share of the difference between the best quarter and "
        "all trials (PED-ANOVA), with the interval of a bootstrap over trials, for 10 or more "
        "completed trials.",
        "scores": "All scores beside the baselines",
        "repeat": "Data, seeds, and how to repeat it",
        "underfit": "underfit",
        "balanced": "balanced",
        "overfit": "overfit",
        "holds": "holds",
        "does not hold here": "does not hold here",
        "undecided": "undecided",
        "not_tried": "not tried",
        "gap": "validation RMSE / train RMSE",
        "seconds": "seconds of training",
        "yes_underfit": "{name} ({made}) is underfitting: {count} of {seeds} seeds are labelled "
        "underfit. On the training windows its RMSE is {train} {unit}, {excess} times the lowest of "
        "all networks that do not overfit and baselines here; at the peaks of the validation windows it forecasts {bias} {unit} {side} "
        "(bias by seed {least} to {most}).",
        "not_underfit": "{name} ({made}) is not underfitting here: {count} of {seeds} seeds are "
        "labelled underfit. On the training windows its RMSE is {train} {unit}, {excess} times the "
        "lowest of all networks that do not overfit and baselines here; at the peaks of the validation windows it forecasts {bias} {unit} {side} "
        "(bias by seed {least} to {most}).",
        "too_low": "too low",
        "too_high": "too high",
        "together": "These changes together cure it: {changes}. With them, {best} of {study} has a "
        "validation RMSE of {rmse} {unit} ({trained}); {name} has {other} {unit} ({others}). The "
        "changes were not tested one by one.",
        "of_seeds": "mean of {seeds} seeds",
        "one_seed": "one seed",
        "averaged": "weights averaged over {epochs} epoch(s)",
        "change": "{what} from {before} to {after}",
        "units": "units",
        "dropout": "dropout",
        "l2": "L2",
        "learning_rate": "learning rate",
        "batch_size": "batch",
        "epochs": "maximum epochs",
        "target": "learned target",
        "inputs": "inputs",
        "lookback": "hours read",
        "whole_window": "the whole window",
        "schedule": "learning-rate schedule",
        "cures": "Of the single changes that the teaching notes recommend, these are proven: {list}. "
        "The strongest is {name} against {control}: it changes the validation RMSE by {mean} {unit} "
        "(95 % interval {low} to {high}).",
        "no_cure": "Of the single changes that the teaching notes recommend, none is proven by these "
        "{seeds} seeds: all comparisons of a claim must hold after correction for ten claims. The "
        "largest improvement in validation RMSE is {mean} {unit}, {name} against {control} (95 % "
        "interval {low} to {high}).",
        "best": "The best network found, {name} of {study} ({regime}; {made}), has a validation RMSE "
        "of {rmse} {unit} ({trained}).",
        "ahead": "It is ahead of the strongest baseline, {baseline}, which has {other} {unit} on the same "
        "hours: {share} less. The search chose it on these hours; promotion shows whether it holds on others.",
        "behind": "The strongest baseline, {baseline}, sees the same hours without a network and has "
        "{other} {unit}. The network's error is {share} higher, so no network is needed yet.",
        "no_floor": "The data file is gone, so today's baselines cannot be compared.",
        "made": "units {units}, dropout {dropout}, L2 {l2}, learning rate {rate}, batch {batch}, at "
        "most {epochs} epochs",
        "untried": "Not tried here: {what}. Next: {command}",
        "rmse_axis": "RMSE ({unit})",
        "train": "training windows",
        "validation": "validation windows",
        "lowest": "lowest validation error",
        "search_best": "best trial of a search",
        "strongest_baseline": "strongest baseline",
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
        "regime": "regime",
        "against": "{treatment} - {control}",
        "expected_lower": "expected lower",
        "expected_higher": "expected higher",
        "not_measured": "not measured",
        "more_than": "more than 20",
        "test_closed": "the test period is closed",
        "test_opened": "promotion has opened the test period {count} times, only for its own scores",
        "scores_note": "Scores on the validation windows, on which a search also chose its best trial; "
        "{test}. Skill is 1 - RMSE / RMSE of the strongest baseline; below 0 a baseline is better.",
        "regime_note": "Overfit: the validation RMSE is at least 1.5 times the train RMSE. Underfit: the "
        "train RMSE is at least 1.5 times the attainable error (the lowest of the trials that do not "
        "overfit, or the best baseline's error). If both apply, the larger ratio decides.",
        "data": "data",
        "columns": "columns",
        "windows": "windows",
        "window_text": "{window} input hours, {horizon} forecast; split {train} / {validation} / "
        "{test} in time",
        "study": "study",
        "experiment": "experiment",
        "attempts": "attempts",
        "command": "command",
        "study_seed": "seed",
        "made_with": "made with",
        "best_row": "best: {name} of {study}, by {tuner}",
        "design_row": "{name} ({seeds} seeds)",
        "trial": "trial {number}",
        "attempts_in": "{count} {state}",
        "state_running": "running",
        "state_complete": "complete",
        "state_pruned": "pruned",
        "state_failed": "failed",
        "state_interrupted": "interrupted",
    },
    "ko": {
        **{metric.name: metric.korean for metric in (*METRICS, SKILL)},
        "title": "숫자로 보는 과소적합과 과대적합",
        "verdict": "판정",
        "train_val": "학습 오차와 검증 오차",
        "typical": "적합 상태별 전형적인 학습 곡선",
        "epoch": "에포크 (1부터)",
        "loss_axis": "손실 (정규화한 목표의 제곱오차, 단위 없음)",
        "loss": "학습 손실 (벌점과 드롭아웃 포함)",
        "val_mse": "검증 MSE (벌점 제외)",
        "loss_note": "학습 손실은 드롭아웃이 켜진 상태에서 벌점을 포함해 측정하므로 검증 MSE와 비교할 수 없습니다.",
        "week": "일주일간의 실제 사용량과 예측",
        "hour_axis": "시각 (월-일, 1시간 간격, 데이터 기준)",
        "usage_axis": "사용량 ({unit})",
        "actual": "실제",
        "forecast": "한 시간 앞 예측",
        "peak": "피크 시간: 실제값 상위 10 %",
        "week_note": "검증 구간의 첫 주. 시드가 여럿이면 RMSE가 중앙값인 시드.",
        "no_week": "MLflow에 이 시행들의 예측이 없습니다.",
        "claims": "주장별 판정",
        "found": "탐색 결과",
        "parameter": "하이퍼파라미터",
        "importance": "중요도 (95 %)",
        "searched": "탐색 범위",
        "best_lie": "상위 10 %의 위치",
        "edge": "경계",
        "edge_low": "하한에 몰림: 범위를 넓혀야 함",
        "edge_high": "상한에 몰림: 범위를 넓혀야 함",
        "not_searched": "이 보고서의 스터디에는 충분한 탐색 시행이 없습니다. 다음: {command}",
        "found_note": "완료된 시행의 상위 10 %(최소 5개). 그중 절반 이상(최소 3개)이 해당 차원의 척도에서 끝의 5 % 안에 "
        "있으면 경계로 표시합니다. 중요도는 상위 25 % 시행과 전체 시행의 차이에서 해당 하이퍼파라미터가 차지하는 "
        "비율(PED-ANOVA)입니다. 구간은 시행 붓스트랩으로 구하며, 완료된 시행이 10개 이상일 때 계산합니다.",
        "scores": "모든 점수와 기준 모형",
        "repeat": "데이터, 시드, 재현 방법",
        "underfit": "과소적합",
        "balanced": "균형",
        "overfit": "과대적합",
        "holds": "성립",
        "does not hold here": "여기서는 성립하지 않음",
        "undecided": "판단 보류",
        "not_tried": "시험하지 않음",
        "gap": "검증 RMSE / 학습 RMSE",
        "seconds": "학습 시간(초)",
        "yes_underfit": "{name}({made})은(는) 과소적합입니다. 시드 {seeds}개 중 {count}개가 과소적합으로 "
        "분류되었고, 학습 구간 RMSE는 {train} {unit}(으)로, 과대적합이 아닌 신경망과 기준 모형 가운데 가장 낮은 값의 {excess}배이며, 검증 구간의 "
        "피크에서 {bias} {unit} {side} 예측합니다(시드별 편향 {least} ~ {most}).",
        "not_underfit": "{name}({made})은(는) 여기서 과소적합이 아닙니다. 시드 {seeds}개 중 {count}개가 "
        "과소적합으로 분류되었고, 학습 구간 RMSE는 {train} {unit}(으)로, 과대적합이 아닌 신경망과 기준 모형 가운데 가장 낮은 값의 {excess}배이며, "
        "검증 구간의 피크에서 {bias} {unit} {side} 예측합니다(시드별 편향 {least} ~ {most}).",
        "too_low": "낮게",
        "too_high": "높게",
        "together": "다음을 함께 바꾸면 해결됩니다: {changes}. 이렇게 바꾼 {study}의 {best}은(는) 검증 "
        "RMSE가 {rmse} {unit}({trained})이고, {name}은(는) {other} {unit}({others})입니다. 각 변경을 "
        "하나씩 시험하지는 않았습니다.",
        "of_seeds": "시드 {seeds}개의 평균",
        "one_seed": "시드 1개",
        "averaged": "가중치를 {epochs}에포크에 걸쳐 평균",
        "change": "{what} {before} → {after}",
        "units": "유닛",
        "dropout": "드롭아웃",
        "l2": "L2",
        "learning_rate": "학습률",
        "batch_size": "배치",
        "epochs": "최대 에포크",
        "target": "학습 목표",
        "inputs": "입력",
        "lookback": "입력 길이(시간)",
        "whole_window": "입력 구간 전체",
        "schedule": "학습률 스케줄",
        "cures": "교재가 권하는 개별 변경 가운데 입증된 것: {list}. 효과가 가장 큰 것은 {control} 대비 {name}이며, 검증 RMSE 변화는 {mean} {unit}입니다"
        "(95 % 구간 {low} ~ {high}).",
        "no_cure": "교재가 권하는 개별 변경 가운데 시드 {seeds}개로 입증된 것은 없습니다. 열 가지 주장에 대한 다중 비교 보정 후에도 그 주장의 모든 비교가 성립해야 입증된 것으로 봅니다. 그중 검증 RMSE가 가장 많이 줄어든 것은 {control} 대비 {name}이며 "
        "변화는 {mean} {unit}입니다(95 % 구간 {low} ~ {high}).",
        "best": "가장 좋은 신경망은 {study}의 {name}({regime}; {made})이며, 검증 RMSE는 {rmse} {unit}({trained})입니다.",
        "ahead": "같은 시간에 가장 강한 기준 모형 {baseline}의 오차는 {other} {unit}이며, 신경망이 {share} 낮습니다. 탐색이 바로 이 "
        "시간으로 골랐으므로, 다른 시간에도 그런지는 승격(promote)에서 확인합니다.",
        "behind": "가장 강한 기준 모형 {baseline}은(는) 신경망 없이 같은 시간에서 오차가 {other} {unit}입니다. 신경망의 오차가 {share} "
        "높으므로 아직은 신경망이 필요하지 않습니다.",
        "no_floor": "데이터 파일이 없어 지금의 기준 모형과 비교할 수 없습니다.",
        "made": "유닛 {units}, 드롭아웃 {dropout}, L2 {l2}, 학습률 {rate}, 배치 {batch}, 최대 {epochs} "
        "에포크",
        "untried": "여기서 시험하지 않음: {what}. 다음: {command}",
        "rmse_axis": "RMSE ({unit})",
        "train": "학습 구간",
        "validation": "검증 구간",
        "lowest": "최저 검증 오차",
        "search_best": "탐색의 최고 결과",
        "strongest_baseline": "가장 강한 기준 모형",
        "train_axis": "학습 RMSE ({unit})",
        "val_axis": "검증 RMSE ({unit})",
        "equal": "학습 오차 = 검증 오차",
        "claim": "주장",
        "comparison": "비교",
        "metric": "측정값",
        "difference": "차이 (95 %)",
        "seeds": "시드",
        "needed": "판단에 필요한 시드",
        "verdict_head": "판정",
        "name": "이름",
        "seed_sd": "시드 간 표준편차",
        "regime": "적합 상태",
        "against": "{treatment} - {control}",
        "expected_lower": "낮을 것으로 예상",
        "expected_higher": "높을 것으로 예상",
        "not_measured": "측정하지 않음",
        "more_than": "20개 초과",
        "test_closed": "시험 구간은 아직 사용하지 않았습니다",
        "test_opened": "승격 과정에서 시험 구간을 {count}번 열었으며, 그 점수는 여기에 쓰지 않았습니다",
        "scores_note": "검증 구간의 점수이며, 탐색의 최고 결과도 이 구간에서 골랐습니다. {test}. "
        "스킬은 1 - RMSE / 가장 강한 기준 모형의 RMSE이며, 0보다 작으면 기준 모형이 낫습니다.",
        "regime_note": "검증 RMSE가 학습 RMSE의 1.5배 이상이면 과대적합입니다. 학습 RMSE가 도달 가능한 오차(과대적합이 아닌 시행의 최저값 "
        "또는 가장 좋은 기준 모형의 오차)의 1.5배 이상이면 과소적합입니다. 두 조건에 모두 해당하면 비율이 더 큰 쪽으로 분류합니다.",
        "data": "데이터",
        "columns": "열",
        "windows": "입출력 창",
        "window_text": "입력 {window}시간, 예측 {horizon}시간; 시간순 분할 {train} / {validation} / "
        "{test}",
        "study": "스터디",
        "experiment": "실험",
        "attempts": "시행",
        "command": "명령",
        "study_seed": "시드",
        "made_with": "사용한 버전",
        "best_row": "최고: {study}의 {name}, {tuner}",
        "design_row": "{name} (시드 {seeds}개)",
        "trial": "시행 {number}",
        "attempts_in": "{state} {count}개",
        "state_running": "진행 중",
        "state_complete": "완료",
        "state_pruned": "조기 중단",
        "state_failed": "실패",
        "state_interrupted": "중지됨",
    },
}

for _language, _words in WORDS.items():
    _words.update(WALL_WORDS[_language])


def in_language(text: str, language: Language) -> str:
    """`text` as shown on the page; in Korean with the particles that fit their words."""
    return with_particles(text) if language == "ko" else text


CLAIMS: dict[Language, dict[str, str]] = {
    "en": {claim.id: claim.says for claim in (SLIPS, *ENGLISH_CLAIMS)},
    "ko": {
        "C0": "교재의 두 가지 실수(전체 데이터로 맞춘 스케일러, 23과 6으로 나눈 주기)는 오차를 더 작아 보이게 한다.",
        "C1": "main2는 main에 비해 과소적합이다. 피크가 더 낮고 곡선이 더 매끄럽다.",
        "C2": "피크는 나빠 보여도 전체 구간에서 main2의 오차가 더 작다.",
        "C3": "L2를 1e-3에서 1e-4, 1e-5로 약하게 하면 과소적합이 해소된다.",
        "C4": "드롭아웃을 0.2에서 0.1로 줄이면 과소적합이 해소된다.",
        "C5": "유닛을 64/32에서 128/64로 늘리면 과소적합이 해소된다.",
        "C6": "LSTM 층을 하나 더 쌓아 세 층으로 하면 과소적합이 해소된다.",
        "C7": "강한 L2에서는 학습률 0.002, 0.003, 나아가 0.005가 0.001보다 낫다.",
        "C8": "강한 L2에서는 조기 종료 대기 에포크 10~15가 7보다 낫다.",
        "C9": "층을 쌓는 것이 한 층보다 낫지만, 깊어질수록 과대적합 위험과 비용이 커진다.",
        "C10": "층 사이의 드롭아웃과 순환 드롭아웃은 다르게 작용하며, 순환 드롭아웃은 기억을 보존한다.",
    },
}

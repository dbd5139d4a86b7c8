"""Words in each language for the first screen, the way, the axes and the slider."""

from search.results.axes_figure import WORDS as AXES
from search.results.headline import WORDS as ENGLISH
from search.results.payoff import WORDS as PAYOFF

WALL_WORDS: dict[str, dict[str, str]] = {
    "en": ENGLISH
    | AXES
    | PAYOFF
    | {
        "wall_network": "{regime}: {name}, one training",
        "wall_train": "training",
        "wall_validation": "validation",
        "wall_overfit": "{name} overfits: {train} {unit} on its training hours, {validation} {unit} "
        "on later ones.",
        "level_l2": "a network with L2 {value}",
        "level_dropout": "a network with dropout {value}",
        "level_epochs": "a network trained for {value} epochs",
        "level_units": "a network of {value} units",
        "level_weeks": "a network trained on {value} weeks",
        "wall_no_way": "The effect of each change was not measured. Next: {command}",
        "wall_missing": "Not among these networks: {regimes}.",
        "wall_alt": "Three networks over one week of actual and forecast demand: {list}",
        "way_head": "The way, one setting at a time",
        "way_alt": "Waterfall of the validation error: {list}",
        "way_note": "Some seeds chose the order, {seeds} others measured it. Each step shows the "
        "effect of its change after the changes above it.",
        "way_back": "Only this change taken back at the end: {list}.",
        "no_curves": "No study of this report varies one setting at a time. Next: {command}",
        "arms_seen": "Of {count} curves, {overfit} have a proven overfitting arm and {underfit} a "
        "proven underfitting arm.",
        "arms": "{axis} ({network}): lowest at {value} with {rmse} {unit}, mean of {seeds} seeds. "
        "{arms}",
        "arm_overfit": "Overfits at {value}: {train} {unit} on the training windows, "
        "{validation} {unit} on the validation windows.",
        "no_arm_overfit": "No overfitting arm is proven.",
        "arm_underfit": "Underfits at {value}: {train} {unit} on the training windows, "
        "{validation} {unit} on the validation windows.",
        "no_arm_underfit": "No underfitting arm is proven.",
        "arms_note": "An arm is proven if its validation error is higher than at the lowest point, "
        "and its train error is lower (overfitting) or higher (underfitting). Both are paired "
        "one-sided t tests at 5 %, corrected for all pairs of levels.",
        "slide": "Drag along a setting",
        "slide_note": "The first validation week of the median seed; errors are means over seeds.",
        "slide_l2": "L2 penalty",
        "slide_dropout": "Dropout rate",
        "slide_epochs": "Epochs trained",
        "slide_units": "Units of the layer",
        "slide_weeks": "Weeks of training windows",
        "slide_caption": "{value}: train {train} {unit}, validation {validation} {unit}, peaks "
        "{bias} {unit} ({seeds} seeds)",
        "no difference that matters": "no difference that matters",
        "claims_untried": "Not tried here: {list}. Next: {command}",
        "claims_note": "Differences are paired by seed, with 95 % t intervals. Verdicts are given "
        "after 3, 5, 8, 12 and 20 seeds. Each look spends a share of the error rate, so at most 5 % "
        "of such families of claims get a wrong verdict (C0 is judged alone). A claim holds if all "
        "its comparisons have the expected direction. There is no difference that matters if all "
        "of them lie within 5 % of the control's value. A claim does not hold here if a comparison "
        "has the other direction, or if one lies within 5 % and another does not.",
        "claims_retried": "{list}: left open by the seeds of the other claims, so judged again, once, "
        "by {seeds} fresh seeds. There, too, at most 5 % of such families get a wrong verdict.",
    },
    "ko": {
        "payoff_yes": "이 데이터에서는 LSTM이 더 낫습니다. {where} {network}의 RMSE는 {own} {unit}이고 가장 강한 기준 모형 {floor}의 오차는 {other} {unit}입니다({share} 낮음, 차이 {difference} {unit}, 95 % 구간 {low} ~ {high}){tail}.",
        "payoff_open": "이 데이터에서 LSTM이 더 나은지는 아직 판단할 수 없습니다. {where} {network}의 RMSE는 {own} {unit}이고 가장 강한 기준 모형 {floor}의 오차는 {other} {unit}입니다(차이 {difference} {unit}, 95 % 구간 {low} ~ {high}){tail}.",
        "payoff_no": "이 데이터에서는 LSTM이 더 낫지 않습니다. {where} {network}의 RMSE는 {own} {unit}이고 가장 강한 기준 모형 {floor}의 오차는 {other} {unit}입니다({share} 높음, 차이 {difference} {unit}, 95 % 구간 {low} ~ {high}){tail}.",
        "payoff_search": "시행을 고를 때 쓴 바로 그 검증 구간에서",
        "payoff_retest": "새 시드로 다시 학습한 이동 원점(rolling origin) {folds}개에서",
        "payoff_blend": "; 더 나은 것은 둘을 섞은 혼합 예측({weight} x 신경망 + {rest} x {floor})으로, 오차는 {blend} {unit}입니다({floor} 대비 차이 {difference} {unit}, 95 % 구간 {low} ~ {high})",
        "payoff_safer": "; 혼합 예측({weight} x 신경망 + {rest} x {floor})의 오차는 {blend} {unit}이며, {floor}보다는 뚜렷하게 낫지만 신경망보다 뚜렷하게 낫지는 않습니다",
        "payoff_no_blend": "; 둘의 혼합 예측은 뚜렷한 도움이 되지 않습니다",
        "payoff_floor": "; 안전한 선택은 {floor}입니다",
        "payoff_few": "; 다만 시간 블록이 {blocks}개뿐이어서 신뢰구간을 추정하기에는 부족합니다",
        "way_title": "{start}에서 {goal}까지 설정을 하나씩 바꾼 경로, 시드 평균",
        "way_axis": "검증 RMSE ({unit}); 가로선: 단계별 95 % 신뢰구간(시드 간); 옅은 막대: 구간에 0 포함",
        "way_step": "{name}: {before} → {after}",
        "way_between": "{low} ~ {high}",
        "of_layer": "{layer}층 {name}",
        "setting_layers": "층 수",
        "setting_units": "유닛",
        "setting_dropout": "드롭아웃",
        "setting_use_l2": "L2",
        "setting_l2": "L2",
        "setting_recurrent_dropout": "순환 드롭아웃",
        "setting_learning_rate": "학습률",
        "setting_batch_size": "배치 크기",
        "setting_patience": "조기 종료 대기 에포크",
        "setting_epochs": "최대 에포크",
        "setting_ema_epochs": "가중치 평균 에포크",
        "setting_target": "학습 목표",
        "setting_inputs": "입력",
        "setting_lookback": "입력 길이(시간)",
        "setting_schedule": "학습률 스케줄",
        "choice_level": "사용량 자체",
        "choice_change": "시간별 변화량",
        "choice_cycles": "시각 주기",
        "choice_changes": "최근 변화량",
        "choice_constant": "고정",
        "choice_cosine": "코사인",
        "headline_underfit": "{name}은(는) 과소적합 상태입니다. 피크 시간의 사용량을 실제보다 평균 "
        "{bias} {unit} {side} 예측합니다.",
        "headline_balanced": "{name}은(는) 과소적합도 과대적합도 아닙니다. 피크 시간의 사용량을 실제보다 "
        "평균 {bias} {unit} {side} 예측합니다.",
        "headline_overfit": "{name}은(는) 과대적합 상태입니다. 피크 시간의 사용량을 실제보다 평균 "
        "{bias} {unit} {side} 예측합니다.",
        "headline_no_peaks_underfit": "{name}은(는) 과소적합 상태입니다.",
        "headline_no_peaks_balanced": "{name}은(는) 과소적합도 과대적합도 아닙니다.",
        "headline_no_peaks_overfit": "{name}은(는) 과대적합 상태입니다.",
        "side_low": "낮게",
        "side_high": "높게",
        "headline_cure": "{start}에서 {goal}까지 검증 RMSE가 {before}에서 {after} {unit}(으)로 "
        "줄어듭니다. 효과가 가장 큰 단계({step})에서 {gain} {unit} 줄어듭니다.",
        "headline_unproven": "{start}에서 {goal}까지 검증 RMSE가 {before}에서 {after} {unit}(으)로 "
        "줄어들지만, 시드 {seeds}개로 입증된 단계는 없습니다.",
        "headline_no_cure": "{start}에서 {goal}까지 검증 RMSE가 줄지 않습니다.",
        "wall_network": "{regime}: {name}, 학습 1회",
        "wall_train": "학습",
        "wall_validation": "검증",
        "wall_overfit": "{name}은(는) 과대적합 상태입니다. RMSE는 학습 구간에서 {train} {unit}, 이후 "
        "검증 구간에서 {validation} {unit}입니다.",
        "level_l2": "L2가 {value}인 신경망",
        "level_dropout": "드롭아웃이 {value}인 신경망",
        "level_epochs": "{value}에포크 학습한 신경망",
        "level_units": "유닛이 {value}개인 신경망",
        "level_weeks": "{value}주 분량의 데이터로 학습한 신경망",
        "wall_no_way": "각 변경의 효과는 측정하지 않았습니다. 다음: {command}",
        "wall_missing": "이 신경망들 가운데 없는 것: {regimes}.",
        "wall_alt": "한 주의 실제 수요와 예측, 세 신경망: {list}",
        "way_head": "설정을 하나씩 바꾼 경로",
        "way_alt": "검증 오차의 폭포 그림: {list}",
        "way_note": "효과는 변경 순서를 정할 때와 다른 시드 {seeds}개로 측정했습니다. 각 단계의 값은 앞선 변경을 "
        "모두 적용한 상태에서 그 변경 하나가 낸 효과입니다.",
        "way_back": "마지막 신경망에서 그 변경 하나만 되돌렸을 때 달라지는 오차: {list}.",
        "tradeoff": "설정에 따른 오차",
        "no_curves": "이 보고서에는 설정을 하나씩 바꾼 스터디가 없습니다. 다음: {command}",
        "arms_seen": "곡선 {count}개 가운데 {overfit}개에서 과대적합이, {underfit}개에서 과소적합이 "
        "입증되었습니다.",
        "arms": "{axis} ({network}): 검증 RMSE는 {value}일 때 {rmse} {unit}로 가장 낮습니다(시드 {seeds}개 "
        "평균). {arms}",
        "arm_overfit": "{value}이면 과대적합입니다: 학습 구간 {train} {unit}, 검증 구간 {validation} {unit}.",
        "no_arm_overfit": "과대적합은 입증되지 않았습니다.",
        "arm_underfit": "{value}이면 과소적합입니다: 학습 구간 {train} {unit}, 검증 구간 {validation} {unit}.",
        "no_arm_underfit": "과소적합은 입증되지 않았습니다.",
        "axis_l2": "L2 규제 강도",
        "axis_dropout": "드롭아웃 비율",
        "axis_epochs": "학습 에포크 수",
        "axis_units": "층의 유닛 수",
        "axis_weeks": "학습 구간 길이(주)",
        "network_level": "사용량 학습",
        "network_change": "변화량 학습",
        "network": "유닛 {units}",
        "network_weeks": "{weeks}주",
        "network_epochs": "{epochs}에포크",
        "bands": "띠: 시드가 여럿일 때 95 % 구간.",
        "arms_note": "최저점보다 검증 오차가 크고 학습 오차가 작으면 과대적합, 둘 다 크면 과소적합이 입증된 "
        "것으로 봅니다. 두 오차 모두 유의수준 5 %의 대응표본 단측 t 검정으로 비교하고, 설정값의 모든 쌍에 대해 "
        "다중 비교를 보정합니다.",
        "slide": "설정을 바꿔 보기",
        "slide_note": "그래프는 RMSE가 중앙값인 시드의 검증 구간 첫 주이고, 오차는 시드 평균입니다.",
        "slide_l2": "L2 규제 강도",
        "slide_dropout": "드롭아웃 비율",
        "slide_epochs": "학습 에포크 수",
        "slide_units": "층의 유닛 수",
        "slide_weeks": "학습 구간 길이(주)",
        "slide_caption": "{value}: 학습 {train} {unit}, 검증 {validation} {unit}, 피크 {bias} {unit} "
        "(시드 {seeds}개)",
        "no difference that matters": "의미 있는 차이 없음",
        "claims_untried": "여기서 시험하지 않음: {list}. 다음: {command}",
        "claims_note": "차이는 시드별로 짝지어 계산하고 95 % t 구간을 표시합니다. 판정은 시드가 3, 5, 8, 12, 20개일 "
        "때 내립니다. 판정마다 오류율을 나누어 쓰므로, 이런 주장 묶음에서 잘못된 판정이 나올 확률은 최대 "
        "5 %입니다(C0은 따로 판정). 모든 비교가 예상 방향이면 주장이 성립합니다. 모든 비교가 대조값의 5 % 안에 "
        "있으면 의미 있는 차이가 없다고 판정합니다. 반대 방향인 비교가 있거나 일부 비교만 5 % 안에 있으면 "
        "여기서는 성립하지 않는다고 판정합니다.",
        "claims_retried": "{list}: 처음 시드로는 판정할 수 없어 새 시드 {seeds}개로 한 번 다시 판정했습니다. 이 판정 "
        "묶음에서 잘못된 판정이 나올 확률도 최대 5 %입니다.",
    },
}

"""The first screen and the slider, as a person meets them in a browser."""

import dataclasses
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from data_pipeline.framing import Framing
from experiments.tradeoff import DESIGNS
from models.regime import Regime
from search.common.records import TrialRecord, TrialResult
from search.figures.fonts import hangul_font
from search.report.facts import facts
from search.report.figures import draw
from search.report.page import render
from search.report.slider import shown_curves
from search.report.svg import font_for, svg
from search.report.translations import WORDS, Language
from search.report.values import Facts
from search.report.wall import candidates, three, wall, way_notes
from search.results.explanation import Change, Explanation, State, Worth
from search.tuning.kept_studies import KeptStudy
from tests.search.report.test_facts import BASELINES, CONTRACT
from tests.search.report.test_page import FRAMING, LANGUAGES, forecasts_of
from tests.search.samples import record, result

SEEDS = 3
DATA: dict[str, object] = {"rows": 2184}


def _trained(train: float, validation: float) -> TrialResult:
    made = result((validation / 1000) ** 2)
    return dataclasses.replace(made, train=made.train | {"rmse": train})


def _errors(design: str) -> tuple[float, float]:
    """Train and validation RMSE in MW: few weeks overfit, strong regularisation underfits."""
    if design.startswith("weeks_"):
        return 30.0, 240.0
    return (300.0, 320.0) if design in ("l2_0.1", "dropout_0.8") else (60.0, 65.0)


def _tradeoff() -> tuple[TrialRecord, ...]:
    made = []
    for seed in range(SEEDS):
        for at, design in enumerate(DESIGNS):
            train, validation = _errors(design.name)
            luck = 1 + 0.01 * seed + 0.001 * at
            one = record(100 * seed + at, _trained(train * luck, validation * luck), seed=seed)
            made.append(
                dataclasses.replace(
                    one, design=design.name, parameters=design.parameters, framing=design.framing
                )
            )
    return tuple(made)


def _state(train: float, validation: float, regime: Regime) -> State:
    return State(train=train, validation=validation, bias=-100.0, regime=regime)


def _change(setting: str, before: float, after: float, worth: float, state: State) -> Change:
    own = Worth(mean=worth, low=worth - 9, high=worth + 9, seeds=SEEDS)
    return Change(
        setting=setting, before=before, after=after, worth=own, taken_back=own, state=state
    )


def _explanation() -> Explanation:
    return Explanation(
        study="power_usage",
        start="main2",
        goal="best",
        unit="MW",
        time="2026-11-28T06:00:00+00:00",
        first=_state(234, 246, Regime.UNDERFIT),
        changes=(
            _change("learning_rate", 0.001, 0.028, -101, _state(120, 145, Regime.UNDERFIT)),
            _change("layers", 2, 1, -40, _state(88, 105, Regime.UNDERFIT)),
            _change("dropout_1", 0.2, 0.026, -35, _state(56, 70, Regime.BALANCED)),
        ),
    )


@pytest.fixture(scope="module")
def found() -> Facts:
    contract = CONTRACT | {"framing": Framing().model_dump(mode="json") | FRAMING}
    main2 = tuple(
        record(seed, _trained(230 + seed, 245 + seed), design="main2", seed=seed)
        for seed in range(SEEDS)
    )
    plain = _explanation().model_dump(mode="json")
    searched = KeptStudy("power_usage", "c", contract, BASELINES, main2, data=DATA)
    searched = dataclasses.replace(searched, explanations=(plain,))
    tradeoff = contract | {"experiment": "tradeoff"}
    return facts(
        [searched, KeptStudy("tradeoff", "b", tradeoff, BASELINES, _tradeoff(), data=DATA)]
    )


def _html(found: Facts, language: Language) -> str:
    kept = forecasts_of(found)
    with font_for(hangul_font() if language == "ko" else None):
        svgs = {name: svg(figure) for name, figure in draw(found, language, kept).items()}
    return render(found, svgs, language, kept)


@pytest.fixture(scope="module")
def html(found: Facts) -> dict[Language, str]:
    """The page in each language."""
    return {language: _html(found, language) for language in LANGUAGES}


@contextmanager
def _opened(browser: Browser, html: str, place: Path, script: bool = True) -> Iterator[Page]:
    file = place / "index.html"
    file.write_text(html, encoding="utf-8")
    with browser.new_context(
        viewport={"width": 1280, "height": 800}, offline=True, java_script_enabled=script
    ) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{place.name}.png")
        yield page


def test_the_three_networks_are_one_of_each_regime(found: Facts) -> None:
    rows = three(found)
    assert [row.regime for row in rows] == list(Regime)
    assert rows[0].design == "main2" and rows[0].trial == 1
    assert rows[1].val["rmse"] < 70 and rows[2].design.startswith("weeks_")


def test_the_headline_answers_the_questions(found: Facts) -> None:
    said = wall(found, "en").headline
    assert said.startswith("main2 underfits: at the peaks it forecasts 73.8 MW too low. ")
    assert "the validation RMSE falls from 246.0 to 70.0 MW" in said
    assert "the largest step (learning rate: 0.001 → 0.028) lowers it by 101.0 MW" in said
    over = r"A network trained on \d weeks overfits: [\d.]+ MW on its training hours, [\d.]+ MW on"
    assert re.search(over, said)
    assert re.search(
        r"overfit: a network trained on \d weeks, one training", wall(found, "en").weeks
    )
    korean = wall(found, "ko").headline
    assert korean.startswith(
        "main2는 과소적합 상태입니다. 피크 시간의 사용량을 실제보다 평균 73.8 MW"
    )
    assert re.search(r"\d주 분량의 데이터로 학습한 신경망은 과대적합 상태입니다", korean)
    assert not re.search(r"\((는|가|를|와|으)\)", korean), "a particle that was not chosen"


def test_a_network_whose_week_is_gone_is_stood_for_by_one_like_it_of_another_study(
    found: Facts,
) -> None:
    plain = three(found)
    assert [row.study for row in plain] == ["power_usage", "tradeoff", "tradeoff"]
    assert three(found, {(row.study, row.trial) for row in plain}) == plain
    under = [row for row in candidates(found)[0] if row.study == "tradeoff"]
    assert len(under) == 1 and under[0].regime is Regime.UNDERFIT
    shown = three(found, {(under[0].study, under[0].trial)})
    assert shown == [under[0], *plain[1:]]


def test_without_a_way_the_command_is_given(found: Facts) -> None:
    said = wall(dataclasses.replace(found, explanation=None), "en")
    assert (
        "too low. A network trained on " in said.headline and "validation RMSE" not in said.headline
    )
    assert "python -m search.explain --study tradeoff" in said.notes[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_screen_fits_a_screen_and_a_printed_page(
    language: Language, html: dict[Language, str], browser: Browser, tmp_path: Path
) -> None:
    with _opened(browser, html[language], tmp_path) as page:
        wall_box = page.locator("#wall").bounding_box()
        assert wall_box is not None and wall_box["y"] + wall_box["height"] <= 800
        assert page.locator("#wall svg").count() == 2
        for picture in page.locator("#wall .figure").all():
            assert picture.get_attribute("role") == "img"
            assert "MW" in (picture.get_attribute("aria-label") or "")
        words = page.locator("#wall").inner_text().split()
        assert len(words) <= 60
        # A4 landscape less its margins, at 96 pixels an inch.
        page.set_viewport_size({"width": 1047, "height": 718})
        page.emulate_media(media="print")
        printed = page.locator("#wall").bounding_box()
        assert printed is not None and printed["height"] <= 718


def test_the_korean_page_has_no_english_left_but_names(
    found: Facts, html: dict[Language, str]
) -> None:
    said = wall(found, "ko")
    text = " ".join([said.headline, *said.notes, said.weeks, said.way, *way_notes(found, "ko")])
    words = set(re.findall(r"[A-Za-z]{2,}[A-Za-z_0-9]*", text))
    assert words <= {"main2", "best", "MW", "RMSE", *(d.name for d in DESIGNS)}
    assert not re.search(r"은\(는\)|이\(가\)|을\(를\)|\(으\)로", html["ko"])


def test_a_slider_is_dragged_by_key_and_says_what_it_shows(
    found: Facts, html: dict[Language, str], browser: Browser, tmp_path: Path
) -> None:
    with _opened(browser, html["en"], tmp_path) as page:
        assert page.locator(".axis").count() == len(shown_curves(found.tradeoff)) == 5
        axis = page.locator(".axis").first
        slider = axis.get_by_role("slider")
        shown = axis.locator(".level:visible")
        assert shown.count() == 1
        slider.focus()
        page.keyboard.press("Home")
        first = shown.inner_text()
        assert slider.get_attribute("aria-valuetext") == first
        page.keyboard.press("ArrowRight")
        assert shown.count() == 1 and shown.inner_text() != first
        assert slider.get_attribute("aria-valuetext") == shown.inner_text()
        heading = slider.get_attribute("aria-labelledby")
        said = page.locator(f"#{heading}").inner_text()
        assert said.startswith(WORDS["en"]["slide_l2"] + " (learns the change, units 32, ")
        page.emulate_media(media="print")
        assert axis.locator(".level:visible").count() > 1 and not slider.is_visible()


def test_without_a_script_all_levels_stand_side_by_side(
    found: Facts, html: dict[Language, str], browser: Browser, tmp_path: Path
) -> None:
    with _opened(browser, html["en"], tmp_path, script=False) as page:
        levels = sum(len(curve.levels) for curve in shown_curves(found.tradeoff))
        assert page.locator(".level:visible").count() == levels
        assert page.locator("input").count() == 0


def test_a_level_without_forecasts_still_has_its_errors(found: Facts) -> None:
    page = render(found, {}, "en")
    assert "polyline class" not in page
    assert page.count("<figcaption>") == sum(len(c.levels) for c in shown_curves(found.tradeoff))

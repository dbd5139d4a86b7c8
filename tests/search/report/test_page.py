"""The page from planted facts, in both languages, looked at with a real browser."""

import base64
import dataclasses
import functools
import io
import re
import string
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser

from search.common.records import TrialRecord
from search.common.spool import Forecasts
from search.figures.fonts import hangul_font
from search.report.facts import facts
from search.report.figures import draw
from search.report.fonts import embedded
from search.report.page import render
from search.report.svg import font_for, svg
from search.report.translations import CLAIMS, WORDS, Language
from search.report.values import Facts, flat
from search.report.verdict import sentences
from search.results.bootstrap import Compared
from search.results.payoff import Payoff
from search.results.sequential import Verdict
from search.tuning.kept_studies import KeptStudy
from tests.search.report.test_facts import BASELINES, CONTRACT
from tests.search.samples import parameters, record, result

LANGUAGES: tuple[Language, ...] = ("en", "ko")
FRAMING = {"window": 168, "horizon": 1, "train": 0.72, "validation": 0.08, "test": 0.2}
EVERY_CLAIM_TRIED = {
    "main": 0.02,
    "main2": 0.04,
    "main2_l2_1e-4": 0.02,
    "main2_l2_1e-5": 0.01,
    "main2_128_64": 0.03,
    "main2_rate_0.002": 0.041,
}


def _designs(seeds: int = 5) -> list[TrialRecord]:
    generator = np.random.default_rng(0)
    return [
        record(
            100 * seed + at,
            result(error * float(np.exp(generator.normal(0, 0.05)))),
            design=design,
            seed=seed,
        )
        for seed in range(seeds)
        for at, (design, error) in enumerate(EVERY_CLAIM_TRIED.items())
    ]


def _levels() -> list[TrialRecord]:
    made = []
    for seed in range(3):
        for at, l2 in enumerate((0.0, 1e-4, 1e-2)):
            network = parameters((16,), l2).model_copy(update={"dropout": (0.0,)})
            error = (0.02, 0.01, 0.05)[at] * (1 + 0.01 * seed + 0.002 * at)
            made.append(
                record(
                    10 * seed + at, result(error), design=f"l2_{l2}", seed=seed, parameters=network
                )
            )
    return made


def _studies() -> list[KeptStudy]:
    contract = CONTRACT | {"framing": FRAMING}
    searched = (record(0, result(0.004)), record(1, result(0.006)))
    return [
        KeptStudy("claims", "a", contract, BASELINES, tuple(_designs())),
        KeptStudy(
            "tradeoff", "b", contract | {"experiment": "tradeoff"}, BASELINES, tuple(_levels())
        ),
        KeptStudy(
            "power_usage", "c", contract | {"experiment": "power_usage"}, BASELINES, searched
        ),
    ]


def _page(language: Language, studies: list[KeptStudy]) -> str:
    found = facts(studies)
    kept = forecasts_of(found)
    with font_for(hangul_font() if language == "ko" else None):
        svgs = {name: svg(figure) for name, figure in draw(found, language, kept).items()}
    return render(found, svgs, language, kept)


@functools.cache
def _page_of_all(language: Language) -> str:
    return _page(language, _studies())


def forecasts_of(found: Facts) -> dict[tuple[str, int], Forecasts]:
    """A made-up week of every trial."""
    hours = pd.date_range("2014-06-05", periods=161, freq="h")
    actual = 5000 + 1000 * np.sin(np.arange(161) / 24 * 2 * np.pi)[:, None]
    return {(row.study, row.trial): Forecasts(hours, actual, 0.9 * actual) for row in found.trials}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_every_word_with_the_same_places() -> None:
    assert WORDS["en"].keys() == WORDS["ko"].keys()
    for key, text in WORDS["en"].items():
        assert _places(text) == _places(WORDS["ko"][key]), key
    assert CLAIMS["en"].keys() == CLAIMS["ko"].keys() == {f"C{n}" for n in range(11)}


def test_the_verdict_is_computed_from_the_facts() -> None:
    first, second, third = sentences(facts(_studies()), "en")
    assert first.startswith("main2 (units 5, dropout 0.1, L2 0.0001, ")
    assert "is underfitting: 5 of 5 seeds" in first
    assert re.search(r"MW too low \(bias by seed -[\d.]+ to -[\d.]+\)\.$", first)
    together, single = second.split(" Of the single changes ")
    assert together.startswith("These changes together cure it: ")
    assert "With them, trial 0 of power_usage has a validation RMSE of 63.2 MW" in together
    assert "(one seed); main2 has 201.8 MW (mean of 5 seeds). The changes" in together
    assert "these are proven: C3, C5. " in single and "main2_l2_1e-" in single
    assert third.startswith("The best network found, trial 0 of power_usage (balanced; units ")
    assert "63.2 MW (one seed). It is ahead of the strongest baseline, ridge_by_hour, " in third
    assert "which has 70.7 MW on the same hours: 11% less" in third


def test_every_study_is_told_by_its_best_trial_its_tuner_and_the_command_that_repeats_it() -> None:
    mine = dataclasses.replace(_studies()[-1], name="mine", total=40)
    contract = mine.contract | {"tuner": "keras-tuner", "sampler": "random"}
    other = dataclasses.replace(mine, name="other", contract=contract)
    page = _page("en", [*_studies(), mine, other])
    assert "best: trial 0 of mine, by Optuna" in page
    assert "best: trial 0 of other, by KerasTuner" in page and "random oracle" in page
    experiment = mine.contract["experiment"]
    command = f"python -m search.run --experiment {experiment} --study mine --trials 40 --seed 0"
    assert command in page
    assert "--study other --trials 40 --seed 0 --tuner keras-tuner --sampler random" in page


def test_a_cure_names_what_was_changed_from_what_to_what_and_nothing_else() -> None:
    found = facts(_studies())
    assert found.best is not None
    main2 = next(row for row in found.designs if row.name == "main2")
    changed = main2.parameters.model_copy(
        update={"learning_rate": 0.02, "units": (48, 24), "ema_epochs": 1.0}
    )
    cured = dataclasses.replace(found, best=dataclasses.replace(found.best, parameters=changed))
    second = sentences(cured, "en")[1]
    before = main2.parameters.learning_rate
    assert second.startswith(
        f"These changes together cure it: learning rate from {before:.3g} to 0.02, units from 5 to "
        "48/24, weights averaged over 1 epoch(s). With them, trial 0"
    )
    main = next(row for row in found.designs if row.name == "main")
    own = dataclasses.replace(found.best, design="main", study=main.study)
    of_a_design = dataclasses.replace(found, best=own)
    third = sentences(of_a_design, "en")[2]
    assert f"{main.val['rmse']:.1f} MW (mean of 5 seeds). The strongest baseline, " in third
    worse = dataclasses.replace(found, best=dataclasses.replace(found.best, val=main2.val))
    assert sentences(worse, "en")[1].startswith("Of the single changes")


@pytest.mark.parametrize(
    ("language", "told", "made"),
    [
        (
            "en",
            "learned target from level to change, inputs from cycles to changes, hours read from "
            "the whole window to 48, learning-rate schedule from constant to cosine",
            "learned target change, inputs changes, hours read 48, learning-rate schedule cosine",
        ),
        (
            "ko",
            "학습 목표 level → change, 입력 cycles → changes, 입력 길이(시간) 입력 구간 전체 → 48, "
            "학습률 스케줄 constant → cosine",
            "학습 목표 change, 입력 changes, 입력 길이(시간) 48, 학습률 스케줄 cosine",
        ),
    ],
)
def test_what_the_best_network_learns_and_reads_is_said_where_it_is_not_the_default(
    language: Language, told: str, made: str
) -> None:
    found = facts(_studies())
    assert found.best is not None
    changes = {"target": "change", "inputs": "changes", "lookback": 48, "schedule": "cosine"}
    changed = found.best.parameters.model_copy(update=changes)
    cured = dataclasses.replace(found, best=dataclasses.replace(found.best, parameters=changed))
    _, second, third = sentences(cured, language)
    assert told in second and made in third
    plain = " ".join(sentences(found, language))
    assert "cycles" not in plain and "level" not in plain


def test_a_korean_page_names_trials_and_their_states_in_korean() -> None:
    beside = Compared("ridge_by_hour", 60.0, 70.0, -10.0, -14.0, -6.0, 0.01, 40)
    pays = Payoff(where="search", folds=1, attempts=3, network="trial 0", beside=beside)
    told = sentences(dataclasses.replace(facts(_studies()), payoff=pays), "ko")[2]
    assert "시행 0의 RMSE" in told and "trial" not in told
    assert "완료 " in _page("ko", _studies()) and " complete" not in _page("ko", _studies())


def test_every_row_of_parameters_is_whole() -> None:
    rows = [flat(row) for row in facts(_studies()).trials]
    assert rows[0]["parameters.target"] == "level" and rows[0]["parameters.lookback"] is None
    assert {tuple(row) for row in rows} == {tuple(rows[0])}


def test_where_no_cure_is_proven_the_largest_change_is_named() -> None:
    found = facts(_studies())
    undecided = tuple(
        dataclasses.replace(claim, verdict=Verdict.UNDECIDED) for claim in found.claims
    )
    second = sentences(dataclasses.replace(found, claims=undecided), "en")[1]
    assert "recommend, none is proven by these 5 seeds: all comparisons" in second
    assert re.search(r"is -[\d.]+ MW, main2_l2_1e-\d against main2\S* \(95 % interval -", second)


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_a_single_seed_the_interval_is_left_open(language: Language) -> None:
    once = dataclasses.replace(_studies()[0], records=tuple(_designs(seeds=1)))
    found = facts([once])
    assert any(one.difference for claim in found.claims for one in claim.comparisons)
    second = sentences(found, language)[1]
    assert re.search(r"-[\d.]+ MW.*\(95 % (interval - to -|구간 - ~ -)\)", second)


def test_what_was_not_tried_is_said_with_the_command() -> None:
    alone = [_studies()[2]]
    first, second, third = sentences(facts(alone), "en")
    assert "python -m search.run --experiment claims" in first
    assert "python -m search.run --experiment claims" in second
    assert "power_usage" in third
    page = _page("en", alone)
    assert "python -m search.run --experiment tradeoff" in page and "Not tried here: C0, C1" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_asks_for_nothing_from_elsewhere(language: Language) -> None:
    page = _page_of_all(language)
    # Names of XML namespaces and of the SVG's document type are no addresses to fetch.
    links = set(re.findall(r"(?:src|href)=\"([^\"#]+)\"|url\(([^)#]+)\)", page))
    assert all(one.startswith("data:") for pair in links for one in pair if one)
    assert page.count("<svg") == 5 + 3  # of the slider, one a level


def test_a_study_of_any_name_cannot_put_markup_into_the_page() -> None:
    study = _studies()[2]
    hostile = KeptStudy(
        "<b>x</b>", "c", study.contract | {"unit": "<i>W"}, BASELINES, study.records
    )
    page = _page("en", [hostile])
    assert "<b>x" not in page and "<i>W" not in page


def test_a_letter_that_the_font_lacks_is_refused_not_drawn_as_a_box() -> None:
    assert len(embedded("과소적합 abc")) > 1000
    with pytest.raises(ValueError, match="no glyph for"):
        embedded("\U0001f600")


def test_the_font_in_the_page_holds_no_time_of_its_making() -> None:
    made = TTFont(io.BytesIO(base64.b64decode(embedded("abc"))))
    assert made["head"].modified == TTFont(hangul_font())["head"].modified


def test_nested_rows_become_flat_columns() -> None:
    assert flat({"a": 1, "b": {"c": 2, "d": {"e": 3}}}) == {"a": 1, "b.c": 2, "b.d.e": 3}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_without_complaint_and_without_boxes(
    language: Language, scheme: Literal["light", "dark"], browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "index.html"
    file.write_text(_page_of_all(language), encoding="utf-8")
    said: list[str] = []
    with browser.new_context(
        viewport={"width": 1200, "height": 900}, color_scheme=scheme, offline=True
    ) as context:
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda request: said.append(request.url))
        page.goto(file.as_uri())
        page.evaluate("document.fonts.ready")
        assert page.locator("h2").count() == 9
        assert page.locator(".verdict p").count() == 3
        assert page.locator(".figure svg").count() == 5
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 1200, "the page scrolls sideways"
        loaded = page.evaluate("[...document.fonts].filter(f => f.status == 'loaded').length")
        assert loaded == (1 if language == "ko" else 0)
        ink, paper = page.evaluate(
            "(style => [style.color, style.backgroundColor])(getComputedStyle(document.body))"
        )
        assert (sum(map(int, re.findall(r"\d+", ink)[:3])) > 380) == (scheme == "dark")
        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) > 380) == (scheme == "light")
    assert said == []

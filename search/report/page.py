"""From facts to figures and one self-contained page."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from search.common.drawing import OPTUNA
from search.common.spool import Forecasts
from search.figures.regimes import LearningCurve, learning_curves, trials_by_regime
from search.figures.regularisation import Panel, Words, regularisation
from search.figures.weeks import Week, weeks
from search.report.fonts import embedded
from search.report.translations import CLAIMS, WORDS, Language
from search.report.verdict import SEARCH_COMMAND, sentences
from search.results.summary import amount

TRADEOFF_COMMAND = "python -m search.run --experiment tradeoff"


def draw(
    facts: Mapping[str, Any],
    language: Language,
    kept: Sequence[tuple[Mapping[str, Any], Forecasts]] = (),
) -> dict[str, Figure]:
    """Draw the figures for which there are facts, by name.

    Args:
        facts: of the studies.
        language: of the words in them.
        kept: trials of `facts`, each with its validation forecasts.
    """
    words, unit = WORDS[language], facts["unit"]
    drawn = {}
    if facts["tradeoff"]:
        drawn["regularisation"] = regularisation(
            [_panel(curve, words) for curve in facts["tradeoff"]],
            _searched_best(facts),
            Words(
                title=words["tradeoff"],
                error=words["rmse_axis"].format(unit=unit),
                train=words["train"],
                validation=words["validation"],
                lowest=words["lowest"],
                best=words["search_best"],
                floor=words["strongest_baseline"],
                note=words["bands"],
            ),
            floor=facts["baselines"][0]["val"]["rmse"] if facts["baselines"] else None,
        )
    if facts["trials"]:
        drawn["train_val"] = trials_by_regime(
            [row["train"]["rmse"] for row in facts["trials"]],
            [row["val"]["rmse"] for row in facts["trials"]],
            [row["regime"] for row in facts["trials"]],
            {
                "title": words["train_val"],
                "x": words["train_axis"].format(unit=unit),
                "y": words["val_axis"].format(unit=unit),
                "equal": words["equal"],
            }
            | {regime: words[regime] for regime in ("underfit", "balanced", "overfit")},
        )
    if facts["typical"]:
        drawn["typical"] = learning_curves(
            [
                LearningCurve(
                    f"{words[row['regime']]}: {row['study']}, "
                    + (row["design"] or words["trial"].format(number=row["trial"])),
                    row["loss"],
                    row["val_mse"],
                )
                for row in facts["typical"]
            ],
            {
                "title": words["typical"],
                "x": words["epoch"],
                "y": words["loss_axis"],
                "loss": words["loss"],
                "val_mse": words["val_mse"],
                "note": words["loss_note"],
            },
        )
    if kept:
        drawn["weeks"] = weeks(
            [
                Week(
                    f"{row['design'] or words['search_best']} ({row['study']}, "
                    f"{words['trial'].format(number=row['trial'])}): {words['peak_bias']} "
                    f"{amount(row['val'].get('peak_bias', math.nan), '+')} {unit}",
                    forecasts.times,
                    forecasts.actual[:, 0],
                    forecasts.forecast[:, 0],
                )
                for row, forecasts in kept
            ],
            {
                "title": words["week"],
                "x": words["hour_axis"],
                "y": words["usage_axis"].format(unit=unit),
                "actual": words["actual"],
                "forecast": words["forecast"],
                "peak": words["peak"],
                "note": words["week_note"],
            },
        )
    return drawn


def render(facts: Mapping[str, Any], svgs: Mapping[str, str], language: Language) -> str:
    """Return the page; `svgs` are the drawn figures as SVG elements, by name."""
    words = WORDS[language]
    context = {
        "language": language,
        "words": words,
        "unit": facts["unit"],
        "verdict": sentences(facts, language),
        "arms": _arms(facts, words),
        "figures": svgs,
        "no_week": words["no_week"],
        "claims": _claim_rows(facts, language),
        "found": _found_rows(facts, words),
        "not_searched": words["not_searched"].format(command=SEARCH_COMMAND),
        "scores": _score_rows(facts, words),
        "scores_note": words["scores_note"].format(test=_openings(facts, words)),
        "studies": _study_rows(facts, words),
    }
    environment = Environment(
        loader=PackageLoader("search.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    bare = template.render(context, font="")
    return bare if language == "en" else template.render(context, font=embedded(bare))


def _panel(curve: Mapping[str, Any], words: Mapping[str, str]) -> Panel:
    def bands(period: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.array(
            [[level[period][key] for key in ("mean", "low", "high")] for level in curve["levels"]]
        )

    return Panel(
        heading=_network(curve, words),
        axis=words[f"axis_{curve['kind']}"],
        strengths=[level["strength"] for level in curve["levels"]],
        train=bands("train"),
        validation=bands("validation"),
        lowest=curve["lowest"],
    )


def _network(curve: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return words["network"].format(units="/".join(map(str, curve["units"])))


def _searched_best(facts: Mapping[str, Any]) -> float | None:
    found = [row["val"]["rmse"] for row in facts["trials"] if not row["design"]]
    return min(found, default=None)


def _arms(facts: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    if not facts["tradeoff"]:
        return [words["no_curves"].format(command=TRADEOFF_COMMAND)]
    names = {
        (True, True): "both_arms",
        (True, False): "left_only",
        (False, True): "right_only",
        (False, False): "no_arms",
    }
    said = [
        words["arms_seen"].format(
            count=len(facts["tradeoff"]),
            left=sum(curve["left"] for curve in facts["tradeoff"]),
            right=sum(curve["right"] for curve in facts["tradeoff"]),
        )
    ]
    for curve in facts["tradeoff"]:
        lowest, weakest = curve["levels"][curve["lowest"]], curve["levels"][0]
        arms = words[names[curve["left"], curve["right"]]].format(
            train=amount(weakest["train"]["mean"]),
            validation=amount(weakest["validation"]["mean"]),
            unit=facts["unit"],
            seeds=weakest["seeds"],
        )
        said.append(
            words["arms"].format(
                network=_network(curve, words),
                kind=words[f"kind_{curve['kind']}"],
                strength=f"{lowest['strength']:g}",
                rmse=amount(lowest["validation"]["mean"]),
                unit=facts["unit"],
                arms=arms,
            )
        )
    return said


def _claim_rows(facts: Mapping[str, Any], language: Language) -> list[dict[str, Any]]:
    words = WORDS[language]
    rows = []
    for claim in facts["claims"]:
        for at, one in enumerate(claim["comparisons"]):
            difference = one["difference"]
            rows.append(
                {
                    "first": at == 0,
                    "id": claim["id"],
                    "says": CLAIMS[language][claim["id"]],
                    "verdict": words[claim["verdict"] or "not_tried"],
                    "kind": (claim["verdict"] or "undecided").replace(" ", "-"),
                    "rows": len(claim["comparisons"]),
                    "against": words["against"].format(**one),
                    "metric": f"{_metric(one, words)}; {words['expected_' + one['expected']]}",
                    "difference": words["not_measured"]
                    if difference is None
                    else _interval(one, difference, facts["unit"]),
                    "seeds": difference["pairs"] if difference else 0,
                    "needed": _needed(one, words),
                }
            )
    return rows


def _metric(one: Mapping[str, Any], words: Mapping[str, str]) -> str:
    name = words[one["metric"]]
    return name if one["metric"] in ("gap", "seconds") else f"{name}, {words[one['period']]}"


def _interval(one: Mapping[str, Any], difference: Mapping[str, Any], unit: str) -> str:
    def write(value: float) -> str:
        return amount(value, "+") if one["in_unit"] else f"{value:+.3f}"

    text = write(difference["mean"]) + (f" {unit}" if one["in_unit"] else "")
    if difference["low"] is None:
        return text
    return f"{text} ({write(difference['low'])} ~ {write(difference['high'])})"


def _needed(one: Mapping[str, Any], words: Mapping[str, str]) -> str:
    if one["seeds_needed"] is not None:
        return str(one["seeds_needed"])
    return words["more_than"] if one["difference"] and one["difference"]["pairs"] > 1 else ""


def _found_rows(facts: Mapping[str, Any], words: Mapping[str, str]) -> list[dict[str, str]]:
    rows = []
    for found in facts["found"]:
        shares = {one["name"]: one for one in found["importances"]}
        regions = sorted(
            found["regions"], key=lambda region: -shares.get(region["name"], {"mean": 0})["mean"]
        )
        for region in regions:
            share = shares.get(region["name"])
            rows.append(
                {
                    "study": found["study"],
                    "name": region["name"],
                    "importance": f"{share['mean']:.2f} ({share['low']:.2f} ~ {share['high']:.2f})"
                    if share
                    else "",
                    "searched": _range(region["low"], region["high"]),
                    "best": _range(region["best_low"], region["best_high"])
                    or ", ".join(f"{value} ({count})" for value, count in region["counts"]),
                    "edge": words[f"edge_{region['edge']}"] if region["edge"] else "",
                }
            )
    return rows


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3g} ~ {high:.3g}"


def _score_rows(facts: Mapping[str, Any], words: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = []
    for study in facts["studies"]:
        drawn = [
            row for row in facts["trials"] if row["study"] == study["name"] and not row["design"]
        ]
        if not drawn:
            continue
        best = min(drawn, key=lambda row: row["val"]["rmse"])
        name = words["best_row"].format(
            name=words["trial"].format(number=best["trial"]),
            study=study["name"],
            tuner=study["drawn_by"],
        )
        rows.append(_score_row(name, best) | {"regime": words[best["regime"]]})
    for design in facts["designs"]:
        name = words["design_row"].format(**design)
        most = max(design["regimes"], key=lambda regime: design["regimes"][regime])
        rows.append(_score_row(name, design) | {"regime": words[most]})
    rows += [_score_row(row["name"], row) for row in facts["baselines"]]
    return sorted(rows, key=lambda row: row["order"])


def _openings(facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    count = sum(study["openings"] for study in facts["studies"])
    return words["test_opened"].format(count=count) if count else words["test_closed"]


def _score_row(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    val = row["val"]
    spread = row.get("val_rmse_sd")
    return {
        "name": name,
        "order": val["rmse"],
        "rmse": amount(val["rmse"]),
        "sd": "" if spread is None else amount(spread),
        "mae": amount(val["mae"]),
        "bias": amount(val.get("peak_bias", math.nan), "+"),
        "skill": "" if row["skill"] is None else f"{row['skill']:+.1%}",
        "regime": "",
    }


def _study_rows(facts: Mapping[str, Any], words: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": study["name"],
            "experiment": study["experiment"],
            "data": study["data"],
            "columns": study["columns"],
            "windows": words["window_text"].format(**study["framing"]),
            "seed": study["seed"],
            "made_with": ", ".join(f"{k} {v}" for k, v in sorted(study["made_with"].items()) if v),
            "attempts": ", ".join(f"{count} {state}" for state, count in study["attempts"].items()),
            "command": _command(study),
        }
        for study in facts["studies"]
    ]


def _command(study: Mapping[str, Any]) -> str:
    drawn = "" if study["tuner"] == OPTUNA else _drawn(study)
    total = f" --trials {study['total']}" if study["total"] else ""
    return (
        f"python -m search.run --experiment {study['experiment']} --study {study['name']}{total} "
        f"--seed {study['seed']}{drawn}"
    )


def _drawn(study: Mapping[str, Any]) -> str:
    return f" --tuner {study['tuner']} --sampler {study['sampler']}"


def columns(rows: Sequence[Mapping[str, Any]], prefix: str = "") -> list[dict[str, Any]]:
    """Nested rows as flat ones for a CSV file: `val.rmse` and the like."""

    def flat(row: Mapping[str, Any], place: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in row.items():
            name = f"{place}{key}"
            found |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
        return found

    return [flat(row, prefix) for row in rows]

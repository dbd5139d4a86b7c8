"""The verdict in three sentences, computed from the facts."""

from collections.abc import Mapping
from typing import Any

from search.report.words import WORDS, Language
from search.summary import amount

SUBJECT = "main2"
CURES = ("C3", "C4", "C5", "C6", "C7", "C8")
CLAIMS_COMMAND = "python -m search.run --experiment claims"
SEARCH_COMMAND = "python -m search.run --trials 50"


def sentences(facts: Mapping[str, Any], language: Language) -> list[str]:
    """Say whether `main2` underfits, what cures it, and how the best network stands.

    Three sentences; where something was not tried, one says so and gives the command.
    """
    words = WORDS[language]
    return [_underfitting(facts, words), _cures(facts, words), _best(facts, words)]


def _subject(facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((row for row in facts["designs"] if row["name"] == SUBJECT), None)


def _underfitting(facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    found = _subject(facts)
    if found is None:
        return words["untried"].format(what=SUBJECT, command=CLAIMS_COMMAND)
    count, bias = found["regimes"]["underfit"], found["val"].get("peak_bias", 0.0)
    return words["yes_underfit" if 2 * count > found["seeds"] else "not_underfit"].format(
        name=SUBJECT,
        made=_made(found["parameters"], words),
        count=count,
        seeds=found["seeds"],
        train=amount(found["train"]["rmse"]),
        unit=facts["unit"],
        excess=f"{found['excess']:.1f}",
        bias=amount(abs(bias)),
        side=words["too_low" if bias < 0 else "too_high"],
    )


def _cures(facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    claims = [claim for claim in facts["claims"] if claim["id"] in CURES]
    tried = [one for claim in claims for one in claim["comparisons"] if one["difference"]]
    if not tried:
        return words["untried"].format(what=", ".join(CURES), command=CLAIMS_COMMAND)
    holding = [claim for claim in claims if claim["verdict"] == "holds"]
    proven = [one for claim in holding for one in claim["comparisons"]]
    strongest = min(proven or tried, key=lambda one: one["difference"]["mean"])
    difference = strongest["difference"]
    return words["cures" if proven else "no_cure"].format(
        list=", ".join(claim["id"] for claim in holding),
        seeds=difference["pairs"],
        name=strongest["treatment"],
        mean=amount(difference["mean"], "+"),
        low=amount(difference["low"], "+"),
        high=amount(difference["high"], "+"),
        unit=facts["unit"],
    )


def _best(facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    best = facts["best"]
    if best is None or not facts["baselines"]:
        return words["untried"].format(what=words["search_best"], command=SEARCH_COMMAND)
    strongest = facts["baselines"][0]
    better = best["val"]["rmse"] < strongest["val"]["rmse"]
    subject = _subject(facts)
    beside = (
        ""
        if subject is None
        else words["beside"].format(
            name=SUBJECT, rmse=amount(subject["val"]["rmse"]), unit=facts["unit"]
        )
    )
    return words["best"].format(
        name=best["design"] or words["trial"].format(number=best["trial"]),
        study=best["study"],
        regime=words[best["regime"]],
        rmse=amount(best["val"]["rmse"]),
        unit=facts["unit"],
        relation=words["lower" if better else "higher"],
        baseline=strongest["name"],
        other=amount(strongest["val"]["rmse"]),
        made=_made(best["parameters"], words),
        beside=beside,
    )


def _made(parameters: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return words["made"].format(
        units="/".join(map(str, parameters["units"])),
        dropout="/".join(f"{rate:.3g}" for rate in parameters["dropout"]),
        l2=f"{parameters['l2']:.3g}",
        rate=f"{parameters['learning_rate']:.3g}",
        batch=parameters["batch_size"],
        epochs=parameters["epochs"],
    )

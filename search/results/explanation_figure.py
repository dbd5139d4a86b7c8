"""An explanation as a waterfall."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from search.figures.waterfall import Bar, Network, Words, waterfall
from search.results.explanation import WORDS, Explanation, State, step_name, worth_text


def draw(found: Explanation, words: Mapping[str, str] = WORDS) -> Figure:
    """Draw the way as a waterfall, with the `words` of a language."""
    unit = found.unit

    def network(state: State) -> Network:
        return Network(state.train, state.validation, words[state.regime])

    bars = [
        Bar(
            step_name(one, words),
            worth_text(one.worth, found, words),
            one.worth.low,
            one.worth.high,
            network(one.state),
        )
        for one in found.changes
    ]
    said = Words(
        title=words["way_title"].format(start=found.start, goal=found.goal),
        start=found.start,
        goal=found.goal,
        x=words["way_axis"].format(unit=unit),
        errors=words["rmse_axis"].format(unit=unit),
        train=words["train"],
        validation=words["validation"],
        unit=unit,
        decimals=found.decimals,
    )
    return waterfall(network(found.first), bars, said)

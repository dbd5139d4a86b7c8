"""Whether a model may be promoted; pure functions."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from search.results.bootstrap import ERROR, FEWEST_BLOCKS, Compared

FloatArray = npt.NDArray[np.float64]


def objections(
    baselines: Mapping[str, Compared], champion: Compared | None, unit: str
) -> list[str]:
    """Why the challenger must not become champion, a sentence each; none if it may.

    It must beat the best baseline on these hours, and the champion where there is one. For a
    baseline that is to serve there are no baselines to beat.
    """
    rivals = []
    if baselines:
        best = min(baselines.values(), key=lambda one: one.other)
        rivals.append((f"the best baseline, {best.name}", best))
    if champion is not None:
        rivals.append((f"the champion, {champion.name}", champion))
    return [_objection(title, one, unit) for title, one in rivals if not one.beaten]


def _objection(title: str, one: Compared, unit: str) -> str:
    if one.alike:
        return (
            f"it forecasts the same as {title} (RMSE {one.other:.4g} {unit}), as the same "
            "configuration with the same seeds on the same data does"
        )
    few = (
        f"; and {one.blocks} blocks of test hours are too few to tell, {FEWEST_BLOCKS} are asked "
        "for: more data, or a shorter --horizon"
    )
    return (
        f"it does not beat {title}: RMSE {one.challenger:.4g} against {one.other:.4g} {unit}, "
        f"difference {one.difference:+.4g} (95 % interval {one.low:+.4g} to {one.high:+.4g}), "
        f"p {one.p:.3f}, at most {ERROR:g} is asked for"
        + (few if one.blocks < FEWEST_BLOCKS else "")
    )

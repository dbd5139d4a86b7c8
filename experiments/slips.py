"""What two slips of the teaching notes change: claim C0.

    python -m search.run --experiment slips

The notes fit the scaler on all rows, the test period's included, and divide the calendar's cycles
by 23 and 6. `main` is trained rightly, with each slip, and with both, with the same seeds.

Took 16 minutes with two workers on two cores that had other work, too. Expect no difference at all
from the scaler (the period's extremes lie in the training hours) and some 11 MW more from the
cycles; the figures as measured are in docs/results.md.
"""

from data_pipeline.framing import Framing
from experiments.comparison import Claim, Comparison
from experiments.experiment import Design, Experiment
from experiments.power_usage import APRIL_TO_JUNE, LEVEL_SPACE
from experiments.power_usage import EXPERIMENT as POWER_USAGE
from experiments.teaching_notes import EPOCHS, MAIN

_LEAK: dict[str, object] = {"scaler_rows": "all"}
_SHORT_CYCLES: dict[str, object] = {"cycle_lengths": (23, 6)}


def _with(name: str, slips: dict[str, object]) -> Design:
    framing = Framing.model_validate(POWER_USAGE.framing.model_dump() | slips)
    return Design(name=name, parameters=MAIN.parameters, framing=framing)


DESIGNS = (
    MAIN,
    _with("scaler_on_all_rows", _LEAK),
    _with("cycles_23_and_6", _SHORT_CYCLES),
    _with("both_slips", _LEAK | _SHORT_CYCLES),
)

CLAIM = Claim(
    id="C0",
    says="The notes' two slips, the scaler fitted on all rows and cycles of 23 and 6, make the "
    "errors look smaller.",
    comparisons=tuple(
        Comparison(treatment=design.name, control=MAIN.name) for design in DESIGNS[1:]
    ),
)

EXPERIMENT = Experiment(
    name="slips",
    summary="main with the scaler fitted on all rows, with cycles of 23 and 6, and without.",
    source=APRIL_TO_JUNE,
    framing=POWER_USAGE.framing,
    space=LEVEL_SPACE,
    designs=DESIGNS,
    claims=(CLAIM,),
    repeats=3,
    sampled=False,
    trials=12,
    epochs=EPOCHS,
)

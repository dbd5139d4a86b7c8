"""The teaching notes' claims C1 to C10: the smallest set of configurations that tests each.

    python -m search.run --experiment claims

One factor is changed at a time, from `main2` where a cure for strong regularisation is claimed,
else from `main`; all configurations share data and seeds.

With `--seeds 3` it took 54 minutes with two workers on two cores that had other work, too. Expect
every configuration to underfit, with 197 to 308 MW beside the 41 MW of `ridge_by_hour`, and most
claims to be undecided by three seeds; the figures as measured are in docs/results.md.
"""

from experiments.comparison import Claim, Comparison
from experiments.experiment import Design, Experiment
from experiments.lstm_space import stacked_lstm_space
from experiments.power_usage import APRIL_TO_JUNE
from experiments.teaching_notes import EPOCHS, MAIN, MAIN2


def _changed(name: str, base: Design, **changes: object) -> Design:
    return Design(name=name, parameters=base.parameters.model_copy(update=changes))


DESIGNS = (
    MAIN,
    MAIN2,
    _changed("main2_l2_1e-4", MAIN2, l2=1e-4),
    _changed("main2_l2_1e-5", MAIN2, l2=1e-5),
    _changed("main2_dropout_0.1", MAIN2, dropout=(0.1, 0.1)),
    _changed("main2_128_64", MAIN2, units=(128, 64)),
    _changed("main2_3_layers", MAIN2, units=(64, 32, 16), dropout=(0.2, 0.2, 0.2)),
    _changed("main2_rate_0.002", MAIN2, learning_rate=0.002),
    _changed("main2_rate_0.003", MAIN2, learning_rate=0.003),
    _changed("main2_rate_0.005", MAIN2, learning_rate=0.005),
    _changed("main2_patience_10", MAIN2, patience=10),
    _changed("main2_patience_15", MAIN2, patience=15),
    _changed("main_1_layer", MAIN, units=(64,), dropout=(0.2,)),
    _changed("main_3_layers", MAIN, units=(64, 32, 16), dropout=(0.2, 0.1, 0.1)),
    _changed("main_no_dropout", MAIN, dropout=(0.0, 0.0)),
    _changed("main_recurrent", MAIN, dropout=(0.0, 0.0), recurrent_dropout=0.2),
)

CLAIMS = (
    Claim(
        id="C1",
        says="main2 underfits next to main: its peaks are lower and its curve is smoother.",
        comparisons=(
            Comparison(treatment="main2", control="main", metric="peak_bias"),
            Comparison(treatment="main2", control="main", metric="roughness_ratio"),
            Comparison(treatment="main2", control="main", period="train", expected="higher"),
        ),
    ),
    Claim(
        id="C2",
        says="Although its peaks look worse, main2's error over the whole period is lower.",
        comparisons=(
            Comparison(treatment="main2", control="main", metric="mae"),
            Comparison(treatment="main2", control="main"),
        ),
    ),
    Claim(
        id="C3",
        says="Weakening L2 from 1e-3 to 1e-4 and on to 1e-5 recovers the fit.",
        comparisons=(
            Comparison(treatment="main2_l2_1e-4", control="main2"),
            Comparison(treatment="main2_l2_1e-5", control="main2_l2_1e-4"),
        ),
    ),
    Claim(
        id="C4",
        says="Weakening dropout from 0.2 to 0.1 recovers the fit.",
        comparisons=(Comparison(treatment="main2_dropout_0.1", control="main2"),),
    ),
    Claim(
        id="C5",
        says="More units, 128/64 in place of 64/32, recover the fit.",
        comparisons=(Comparison(treatment="main2_128_64", control="main2"),),
    ),
    Claim(
        id="C6",
        says="A third LSTM layer recovers the fit.",
        comparisons=(Comparison(treatment="main2_3_layers", control="main2"),),
    ),
    Claim(
        id="C7",
        says="Under strong L2 a learning rate of 0.002, 0.003 or even 0.005 beats 0.001.",
        comparisons=tuple(
            Comparison(treatment=f"main2_rate_{rate}", control="main2")
            for rate in ("0.002", "0.003", "0.005")
        ),
    ),
    Claim(
        id="C8",
        says="Under strong L2 a patience of 10 to 15 beats 7.",
        comparisons=tuple(
            Comparison(treatment=f"main2_patience_{patience}", control="main2")
            for patience in (10, 15)
        ),
    ),
    Claim(
        id="C9",
        says="Stacking beats one layer; depth raises the risk of overfitting and the cost.",
        comparisons=(
            Comparison(treatment="main", control="main_1_layer"),
            Comparison(
                treatment="main_3_layers", control="main_1_layer", metric="gap", expected="higher"
            ),
            Comparison(
                treatment="main_3_layers",
                control="main_1_layer",
                metric="seconds",
                expected="higher",
            ),
        ),
    ),
    Claim(
        id="C10",
        says="Dropout between the layers and recurrent dropout act differently; recurrent dropout "
        "protects the memory.",
        comparisons=(
            Comparison(treatment="main_recurrent", control="main"),
            Comparison(treatment="main_recurrent", control="main_no_dropout"),
        ),
    ),
)

EXPERIMENT = Experiment(
    name="claims",
    summary="One factor at a time around main and main2, for the claims C1 to C10.",
    source=APRIL_TO_JUNE,
    space=stacked_lstm_space(units=(16, 128), recurrent_dropout=(0.0, 0.5)),
    designs=DESIGNS,
    claims=CLAIMS,
    repeats=5,
    sampled=False,
    trials=5 * len(DESIGNS),
    epochs=EPOCHS,
)

import io
import itertools
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from search import figures
from search.figures.regimes import LearningCurve, learning_curves, trials_by_regime
from search.figures.waterfall import Bar, Network, waterfall
from search.figures.waterfall import Words as WaterfallWords
from search.figures.weeks import Errors, side_by_side

TIMES = pd.date_range("2024-03-01", periods=200, freq="h")
NONE = np.empty(0)
RNG = np.random.default_rng(0)
ACTUAL = 100 + 20 * np.sin(np.arange(200) / 24 * 2 * np.pi) + RNG.normal(0, 2, 200)
LAST = ACTUAL[-3:]
FORECAST = ACTUAL + RNG.normal(0, 3, 200)
HOURS = TIMES.hour.to_numpy().astype(np.int64)
ROWS: list[dict[str, float | int | bool | str]] = [
    {"layers": 1, "units_1": 32, "l2": 1e-6, "rate": 0.01, "optimizer": "adam", "fast": True},
    {"layers": 2, "units_1": 64, "units_2": 16, "l2": 0.0, "rate": 0.002, "fast": False},
    {"layers": 2, "units_1": 48, "units_2": 16, "l2": 1e-3, "rate": 0.1, "optimizer": "sgd"},
]
HISTORY = {
    "loss": [0.1, 0.05, 0.04],
    "val_loss": [0.09, 0.06, 0.061],
    "val_mse": [0.08, 0.05, 0.052],
    "learning_rate": [1e-3, 1e-3, 5e-4],
}

WORDS = figures.Words(
    "Error", "RMSE (MW)", "training", "validation", "lowest", "best", "floor", "Bands."
)


def _panel(levels: int) -> figures.Panel:
    errors = np.column_stack([np.arange(levels) + offset for offset in (5.0, 4.0, 6.0)])
    strengths = [0.0, 1e-5, 1e-3, 1e-2][:levels]
    return figures.Panel("units 16", "L2 (1)", strengths, 0.9 * errors, errors, 0)


BETWEEN = Network(120.0, 145.0, "underfit")
WATERFALL_WORDS = WaterfallWords(
    "From main2 to best",
    "main2",
    "best",
    "RMSE (MW)",
    "RMSE (MW)",
    "training",
    "validation",
    "MW",
    1,
)
LEARNING = {
    "title": "Typical",
    "x": "Epoch (1)",
    "y": "Loss (1)",
    "loss": "training",
    "val_mse": "validation",
    "note": "Not comparable.",
}
WEEK_WORDS = {
    "title": "A week",
    "x": "Time (h)",
    "y": "Usage (MW)",
    "actual": "actual",
    "forecast": "forecast",
    "peak": "peak",
    "note": "The first week.",
}
REGIMES = {
    "title": "By regime",
    "x": "Train (MW)",
    "y": "Validation (MW)",
    "equal": "equal",
    "underfit": "stiff",
    "balanced": "even",
    "overfit": "supple",
}


CASES: dict[str, Callable[[], Figure]] = {
    "loss_curves": lambda: figures.loss_curves(HISTORY, 2, "Loss"),
    "loss_curves, none": lambda: figures.loss_curves({}, 0, "Loss"),
    "loss_curves, one": lambda: figures.loss_curves({"val_mse": [0.1]}, 1, "Loss"),
    "loss_curves, constant": lambda: figures.loss_curves({"val_mse": [0.1] * 9}, 3, "Loss"),
    "loss_curves, zero": lambda: figures.loss_curves({"val_mse": [0.1, 0.0]}, 2, "Loss"),
    "outlook": lambda: figures.outlook(
        TIMES, ACTUAL, TIMES[-3:] + pd.Timedelta(hours=3), LAST, LAST - 5, LAST + 5, "MW", "Coming"
    ),
    "weeks": lambda: figures.weeks(
        [figures.Week(name, TIMES, ACTUAL, FORECAST) for name in ("main", "best")], WEEK_WORDS
    ),
    "one_week": lambda: figures.one_week(figures.Week("Week", TIMES, ACTUAL, FORECAST), "MW"),
    "one_week, zone": lambda: figures.one_week(
        figures.Week("Week", TIMES.tz_localize("Etc/GMT-10"), ACTUAL, FORECAST), "MW"
    ),
    "one_week, none": lambda: figures.one_week(figures.Week("Week", TIMES[:0], NONE, NONE), "MW"),
    "one_week, one": lambda: figures.one_week(
        figures.Week("Week", TIMES[:1], ACTUAL[:1], FORECAST[:1]), "MW"
    ),
    "one_week, constant": lambda: figures.one_week(
        figures.Week("Week", TIMES, np.full(200, 7.0), np.full(200, 7.0)), "MW"
    ),
    "residuals_by_hour": lambda: figures.residuals_by_hour(HOURS, FORECAST - ACTUAL, "MW", "Hour"),
    "residuals_by_hour, none": lambda: figures.residuals_by_hour(HOURS[:0], NONE, "MW", "Hour"),
    "residuals_by_hour, one": lambda: figures.residuals_by_hour(
        HOURS[:1], np.array([3.0]), "MW", "Hour"
    ),
    "residuals_by_hour, constant": lambda: figures.residuals_by_hour(
        HOURS, np.zeros(200), "MW", "Hour"
    ),
    "history": lambda: figures.optimization_history(
        [0, 2, 1, 3, 4],
        [0.1, 0.05, 0.08, 0.2, 0.3],
        ["complete", "complete", "pruned", "interrupted", "running"],
        {"ridge_by_hour": 0.02, "last_value": 0.0202, "week": 0.0203},
        "History",
    ),
    "history, none": lambda: figures.optimization_history([], [], [], {}, "History"),
    "history, references": lambda: figures.optimization_history([], [], [], {"a": 0.1}, "History"),
    "history, one": lambda: figures.optimization_history([7], [0.1], ["complete"], {}, "History"),
    "history, none complete": lambda: figures.optimization_history(
        [0, 1], [0.2, 0.1], ["pruned", "pruned"], {}, "History"
    ),
    "history, constant": lambda: figures.optimization_history(
        [0, 1], [0.1, 0.1], ["complete", "pruned"], {"a": 0.1}, "History"
    ),
    "importance": lambda: figures.importance(
        ["a", "b", "c"], [0.2, 0.7, 0.1], [(0.1, 0.3), (0.5, 0.9), (0.0, 0.2)], "Importance"
    ),
    "importance, none": lambda: figures.importance([], [], [], "Importance"),
    "importance, one": lambda: figures.importance(["a"], [1.0], [(1.0, 1.0)], "Importance"),
    "importance, constant": lambda: figures.importance(
        ["a", "b"], [0.0, 0.0], [(0.0, 0.0), (0.0, 0.0)], "Importance"
    ),
    "parallel": lambda: figures.parallel_coordinates(ROWS, [0.1, 0.02, 0.3], {"l2"}, "Parallel"),
    "parallel, none": lambda: figures.parallel_coordinates([], [], (), "Parallel"),
    "parallel, no parameters": lambda: figures.parallel_coordinates([{}], [0.1], (), "Parallel"),
    "parallel, one": lambda: figures.parallel_coordinates(ROWS[1:2], [0.1], {"l2"}, "Parallel"),
    "parallel, constant": lambda: figures.parallel_coordinates(
        [ROWS[0], ROWS[0]], [0.1, 0.1], {"l2"}, "Parallel"
    ),
    "regularisation": lambda: figures.regularisation([_panel(4)], 3.0, WORDS, 2.0),
    "regularisation, one level": lambda: figures.regularisation([_panel(1)], None, WORDS),
    "learning": lambda: learning_curves(
        [LearningCurve("underfit: one", [0.3, 0.2], [0.2, 0.1])], LEARNING
    ),
    "regimes": lambda: trials_by_regime(
        [90.0, 200.0, 80.0], [95.0, 210.0, 160.0], ["balanced", "underfit", "overfit"], REGIMES
    ),
    "regimes, none": lambda: trials_by_regime([], [], [], REGIMES),
    "train": lambda: figures.train_against_validation(
        [90.0, 120.0, 80.0], [100.0, 125.0, 130.0], [1e-5, 1e-3, 0.0], "Errors", "MW"
    ),
    "train, none": lambda: figures.train_against_validation([], [], [], "Errors", "MW"),
    "train, one": lambda: figures.train_against_validation([9.0], [9.0], [1e-4], "Errors", "MW"),
    "train, no penalty": lambda: figures.train_against_validation(
        [9.0, 9.0], [9.0, 9.0], [0.0, 0.0], "Errors", "MW"
    ),
}


# Panels that share labels, so that not every axis has its own.
PANELS: dict[str, Callable[[], Figure]] = {
    "side_by_side": lambda: side_by_side(
        [figures.Week(name, TIMES, ACTUAL, FORECAST) for name in ("main", "best")],
        [
            Errors(229.2, 253.4, ("training 229.2 MW", "validation 253.4 MW")),
            Errors(3.15, 66.7, ("training 3.15 MW", "validation 66.7 MW")),
        ],
        WEEK_WORDS,
    ),
    "waterfall": lambda: waterfall(
        Network(234.0, 246.0, "underfit"),
        [
            Bar("rate 0.001 to 0.028", "-101 MW (-115 to -88)", -115.0, -88.0, BETWEEN),
            Bar("batch 32 to 64", "+3 MW", None, None, Network(52.0, 148.0, "overfit")),
        ],
        WATERFALL_WORDS,
    ),
}


@pytest.fixture(params=CASES)
def figure(request: pytest.FixtureRequest) -> Figure:
    return CASES[request.param]()


def visible_texts(figure: Figure) -> list[Text]:
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    return [text for text in texts if text.get_visible() and text.get_text()]


def test_every_figure_is_an_opaque_png_with_ink(figure: Figure) -> None:
    data = figures.png(figure)
    assert data.startswith(b"\x89PNG")
    pixels = imread(io.BytesIO(data))
    assert pixels.shape[0] > 200
    assert pixels.shape[1] > 600
    assert np.all(pixels[..., 3] == 1.0)
    assert np.all(pixels[0, 0, :3] == 1.0)
    assert (pixels[..., :3].min(axis=2) < 0.6).sum() > 500


def test_every_axis_is_labelled_with_a_unit_and_every_text_is_legible(figure: Figure) -> None:
    figures.png(figure)
    axes = figure.axes[0]
    assert axes.get_title(loc="left")
    # Panels below each other share the label under the last one.
    stacked = len({one.get_position().x0 for one in figure.axes}) == 1 and len(figure.axes) > 1
    assert re.search(r"\(.+\)", figure.axes[-1 if stacked else 0].get_xlabel())
    # The axes of parallel coordinates carry their own ticks; the value's unit is at the colour bar.
    if not axes.get_xlabel().startswith("Parameter"):
        assert re.search(r"\(.+\)", axes.get_ylabel())
    for bar in figure.axes[1:]:
        assert re.search(r"\(.+\)", bar.get_ylabel())
    assert all(float(text.get_fontsize()) >= 9.0 for text in visible_texts(figure))


def test_the_same_figure_gives_the_same_bytes_from_any_thread() -> None:
    with ThreadPoolExecutor(max_workers=1) as pool:
        elsewhere = pool.submit(lambda: figures.png(CASES["train"]())).result()
    assert elsewhere == figures.png(CASES["train"]())
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_d27_hangul_is_drawn_and_not_as_boxes() -> None:
    drawn = [
        figures.png(figures.readings(TIMES, ACTUAL, ACTUAL < 0, unit, "사용량"))
        for unit in ("전력", "가스")
    ]
    assert drawn[0] != drawn[1]


def test_a_dollar_is_a_dollar() -> None:
    figure = figures.one_week(figures.Week("From $5 to $\\nosuch$", TIMES, ACTUAL, FORECAST), "$")
    assert figures.png(figure)


def test_the_best_epoch_and_the_curves() -> None:
    axes = CASES["loss_curves"]().axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert "best epoch: 2" in labels
    assert len(labels) == 4  # three curves: the learning rate is not drawn
    assert axes.get_yscale() == "log"
    beyond = figures.loss_curves(HISTORY, 9, "Loss").axes[0]
    assert not any("best" in label for label in beyond.get_legend_handles_labels()[1])


def test_one_week_is_168_hours_and_marks_the_peaks_of_all() -> None:
    actual = np.arange(200.0)  # the upper tenth lies in the hours that are not drawn, but for 0
    actual[[3, 5]] = 1000.0
    axes = figures.one_week(figures.Week("Week", TIMES, actual, actual), "MW").axes[0]
    drawn, _, peaks = axes.get_lines()
    assert len(np.asarray(drawn.get_xdata())) == 168
    np.testing.assert_array_equal(np.asarray(peaks.get_ydata()), [1000.0, 1000.0])


def test_the_best_so_far_follows_complete_trials_only() -> None:
    axes = figures.optimization_history(
        [0, 1, 2, 3],
        [0.4, 0.1, 0.2, 0.3],
        ["complete", "pruned", "complete", "complete"],
        {},
        "History",
    ).axes[0]
    steps = axes.get_lines()[0]
    np.testing.assert_array_equal(np.asarray(steps.get_ydata()), [0.4, 0.2, 0.2, 0.2])


def test_reference_labels_do_not_overlap() -> None:
    figure = CASES["history"]()
    figures.png(figure)
    names = ("ridge_by_hour", "last_value", "week")
    labels = [t for t in visible_texts(figure) if t.get_text().startswith(names)]
    # Text's own extent: an annotation's includes its pointer.
    boxes = sorted((Text.get_window_extent(t) for t in labels), key=lambda box: float(box.y0))
    assert len(boxes) == 3
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))


def test_parameters_that_a_trial_lacks_pass_through_not_used() -> None:
    figure = CASES["parallel"]()
    assert "not used" in [text.get_text() for text in visible_texts(figure)]
    full = figures.parallel_coordinates([ROWS[0], ROWS[0]], [0.1, 0.2], (), "Parallel")
    assert "not used" not in [text.get_text() for text in visible_texts(full)]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: figures.one_week(figures.Week("", TIMES, ACTUAL, ACTUAL[1:]), "MW"),
            "expected equal lengths",
        ),
        (lambda: figures.residuals_by_hour(HOURS, ACTUAL[1:], "MW", ""), "expected equal lengths"),
        (
            lambda: figures.residuals_by_hour(np.array([24]), np.array([1.0]), "MW", ""),
            r"0\.\.23",
        ),
        (lambda: figures.optimization_history([0], [], [], {}, ""), "expected equal lengths"),
        (
            lambda: figures.optimization_history([0], [1.0], ["lost"], {}, ""),
            r"unknown trial states \['lost'\]",
        ),
        (lambda: figures.importance(["a"], [], [], ""), "expected equal lengths"),
        (lambda: figures.parallel_coordinates(ROWS, [1.0], (), ""), "expected equal lengths"),
        (
            lambda: figures.train_against_validation([1.0], [1.0], [], "", "MW"),
            "expected equal lengths",
        ),
    ],
)
def test_input_that_does_not_fit_is_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw()


def test_a_validation_loss_without_penalty_is_drawn_once() -> None:
    def labels(history: dict[str, list[float]]) -> list[str]:
        legend = figures.loss_curves(history, 2, "Loss").legends[0]
        return [text.get_text() for text in legend.get_texts()]

    assert "validation loss, with penalty" in labels(HISTORY)
    bare = labels(HISTORY | {"val_loss": HISTORY["val_mse"]})
    assert "validation loss and MSE (no penalty)" in bare
    assert "validation loss, with penalty" not in bare


def test_panels_share_one_scale_and_only_theirs_are_seen() -> None:
    figure = figures.regularisation([_panel(4)] * 5, 3.0, WORDS)
    seen = [axes for axes in figure.axes if axes.get_visible()]
    assert len(seen) == 5
    assert len({axes.get_ylim() for axes in seen}) == 1
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["training", "validation", "lowest", "best"]


def test_panels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one panel"):
        figures.regularisation([], None, WORDS)
    good = _panel(3)
    bad = figures.Panel("x", "L2 (1)", good.strengths, good.train[:2], good.validation, 0)
    with pytest.raises(ValueError, match=r"'x' needs arrays of shape \(3, 3\), found \(2, 3\)"):
        figures.regularisation([bad], None, WORDS)


def test_a_waterfall_goes_from_the_error_before_to_the_error_after() -> None:
    steps, errors = PANELS["waterfall"]().axes
    ends = [patch.get_extents().transformed(steps.transData.inverted()) for patch in steps.patches]
    bars = [tuple(sorted((round(box.x0), round(box.x1)))) for box in ends]
    assert bars == [(0, 246), (0, 148), (145, 246), (145, 148)]
    train, validation = (np.asarray(line.get_xdata()).tolist() for line in errors.get_lines())
    assert train == [234, 120, 52, 52] and validation == [246, 145, 148, 148]
    with pytest.raises(ValueError, match="at least one step"):
        waterfall(BETWEEN, [], WATERFALL_WORDS)


@pytest.mark.parametrize("name", PANELS)
def test_panels_are_opaque_legible_and_in_a_unit(name: str) -> None:
    figure = PANELS[name]()
    pixels = imread(io.BytesIO(figures.png(figure)))
    assert np.all(pixels[..., 3] == 1.0) and (pixels[..., :3].min(axis=2) < 0.6).sum() > 500
    assert all(float(text.get_fontsize()) >= 9.0 for text in visible_texts(figure))
    labels = [one.get_xlabel() + one.get_ylabel() for one in figure.axes]
    assert any("(MW)" in label for label in labels)
    # A panel without a label of its own says the unit behind each value.
    written = [[text.get_text() for text in one.texts] for one in figure.axes if not one.axison]
    assert all(texts and all(text.endswith(" MW") for text in texts) for texts in written)

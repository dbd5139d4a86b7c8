"""Measured learning curves in a table, and a model that predicts curves for other points.

    python -m search.benchmark.curves --study full_curves

writes the curves of one or more studies of the experiment `full_curves` (repeat `--study`). The
comparisons of pruners and tuners replay these curves instead of training for hours.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.ensemble import ExtraTreesRegressor

from experiments.catalogue import CATALOGUE
from experiments.lstm_space import MOST_LAYERS, to_flat, to_parameters
from models.parameters import TrialParameters
from search.common import commands
from search.common.errors import REFUSED_OR_FAILED, WRONG_INPUT, Refused
from search.common.records import TrialRecord
from search.common.stores import choose_stores
from search.tuning.kept_studies import KeptStudy, read_study
from search.tuning.storage import open_existing

FloatArray = npt.NDArray[np.float64]

FULL_CURVES = CATALOGUE["full_curves"]
TABLE = Path(__file__).parent / "curves.csv"
# A point gets the noise of a measured point of similar quality.
LIKE_POINTS = 10
# The share of trials, by prediction, among which a search decides.
BEST = 0.25
_WINDOW = FULL_CURVES.framing.window


@dataclass(frozen=True)
class Curves:
    """Trials that were trained to the last epoch.

    Attributes:
        parameters: parameters of each of the n trials.
        val_mse: float64 (n, epochs), validation MSE by epoch, scaled.
    """

    parameters: tuple[TrialParameters, ...]
    val_mse: FloatArray

    @property
    def epochs(self) -> int:
        """The number of epochs, the same for every trial."""
        return int(self.val_mse.shape[1])


def read_curves(path: Path = TABLE) -> Curves:
    """Read a table of `write_curves`."""
    table = pd.read_csv(path)
    names = [name for name in table.columns if name.startswith("val_mse_")]
    points = [
        {str(name): value for name, value in row.items() if not pd.isna(value)}
        for row in table.drop(columns=names).to_dict("records")
    ]
    return Curves(
        tuple(to_parameters(point, len(names), window=_WINDOW) for point in points),
        table[names].to_numpy(np.float64),
    )


def write_curves(curves: Curves, path: Path) -> None:
    """Write one row per trial: its point and its validation MSE by epoch."""
    space = FULL_CURVES.space
    rows = [
        to_flat(parameters, space)
        | {f"val_mse_{epoch}": value for epoch, value in enumerate(values, start=1)}
        for parameters, values in zip(curves.parameters, curves.val_mse, strict=True)
    ]
    order = [d.name for d in space.dimensions]
    table = pd.DataFrame(rows)
    table = table.reindex(columns=order + [name for name in table.columns if name not in order])
    table.to_csv(path, index=False, float_format="%.4g")


class Surrogate:
    """Learning curves for points without training: extremely randomised trees plus real noise.

    The trees learn the logarithms of the curve. A point's curve is their mean, times the out-of-bag
    deviation of a measured trial of similar quality. So the noise has the size and the shape in
    time of the trees' errors on unseen trials, which include the luck of the seed.
    """

    def __init__(self, curves: Curves) -> None:
        self.curves = curves
        x = np.array([features(one) for one in curves.parameters])
        y = np.log(curves.val_mse)
        self._trees = ExtraTreesRegressor(
            n_estimators=300, bootstrap=True, oob_score=True, random_state=0
        ).fit(x, y)
        self._unseen: FloatArray = self._trees.oob_prediction_
        self._deviations: FloatArray = y - self._unseen

    def predict(self, parameters: TrialParameters, seed: int) -> FloatArray:
        """The validation MSE by epoch, float64 (epochs,), of a point."""
        point = np.array([features(parameters)], dtype=np.float32)
        # The forest's own `predict` starts threads at each call, which takes ten times as long.
        mean = np.mean([one.tree_.predict(point)[0, :, 0] for one in self._trees], axis=0)
        like = np.argsort(np.abs(self._unseen.min(axis=1) - mean.min()))[:LIKE_POINTS]
        chosen = np.random.default_rng(seed).choice(like)
        return np.asarray(np.exp(mean + self._deviations[chosen]))

    def errors(self) -> dict[str, float]:
        """How well the trees predict unseen trials.

        Returns:
            `r2` and `rank_correlation` (Spearman) of the logarithm of the lowest MSE; `typical`:
            the factor by which the median prediction is off. With `_best`: the same of the quarter
            of the trials that is predicted to be the best, which a search has to tell apart.
        """
        measured = np.log(self.curves.val_mse.min(axis=1))
        foreseen = self._unseen.min(axis=1)
        best = foreseen <= np.quantile(foreseen, BEST)
        off = np.abs(foreseen - measured)
        return {
            "r2": float(1 - np.mean((foreseen - measured) ** 2) / np.var(measured)),
            "rank_correlation": float(stats.spearmanr(foreseen, measured).statistic),
            "rank_correlation_best": float(
                stats.spearmanr(foreseen[best], measured[best]).statistic
            ),
            "typical": float(np.exp(np.median(off))),
            "typical_best": float(np.exp(np.median(off[best]))),
        }


def features(parameters: TrialParameters) -> list[float]:
    """The inputs of the trees for a point: one number per dimension, 0 for missing layers.

    Patience is left out: a replay applies it to a whole curve.
    """
    missing = MOST_LAYERS - parameters.layers
    return [
        float(parameters.layers),
        *np.log2(parameters.units),
        *[0.0] * missing,
        *parameters.dropout,
        *[0.0] * missing,
        np.log10(max(parameters.l2, 1e-8)),
        np.log10(parameters.learning_rate),
        np.log2(parameters.batch_size),
        float(parameters.target == "change"),
        float(parameters.inputs == "changes"),
        np.log2(parameters.lookback or _WINDOW),
        float(parameters.schedule == "cosine"),
    ]


def whole_curves(records: Sequence[TrialRecord], epochs: int) -> Curves:
    """The `records` that were drawn and trained for all `epochs`.

    Designs are left out: the documents' networks have no averaged weights (`ema_epochs`), which the
    trees cannot see.
    """
    whole = [
        (record.parameters, record.result)
        for record in records
        if not record.design
        and record.parameters is not None
        and record.result is not None
        and record.result.repeat_of is None
        and record.result.epochs == epochs
    ]
    return Curves(
        tuple(parameters for parameters, _ in whole),
        np.array([result.history["val_mse"] for _, result in whole]),
    )


@click.command()
@click.option(
    "--study",
    "studies",
    required=True,
    multiple=True,
    help="Study of the experiment full_curves; may be repeated.",
)
@click.option("--storage", help="URL of the study database.  [default: mlruns/optuna.db]")
@click.option("--out", type=click.Path(path_type=Path), default=TABLE, show_default=True)
def main(studies: tuple[str, ...], storage: str | None, out: Path) -> None:
    """Write the measured learning curves of studies, and how well they can be predicted."""
    stores = choose_stores(storage, None)
    try:
        opened = open_existing(stores.storage, stores.schema_lock)
        kept = [read_study(opened, study) for study in studies]
    except Refused as error:
        click.echo(f"Refused: {error}", err=True)
        sys.exit(REFUSED_OR_FAILED)
    epochs = kept[0].contract["epochs"]
    _expect(kept, lambda one: one.contract["epochs"], epochs, "epochs")
    _expect(kept, lambda one: one.contract["framing"]["window"], _WINDOW, "hours of window")
    curves = whole_curves([record for one in kept for record in one.records], epochs)
    if len(curves.parameters) < 2 * LIKE_POINTS:
        click.echo(
            f"Error: expected at least {2 * LIKE_POINTS} trials of {epochs} epochs in "
            f"{', '.join(studies)}, found {len(curves.parameters)}.\n"
            "Next: "
            + commands.module("search.run", "--experiment", FULL_CURVES.name, "--pruner", "none"),
            err=True,
        )
        sys.exit(WRONG_INPUT)
    write_curves(curves, out)
    click.echo(f"{len(curves.parameters)} curves -> {out}")
    for name, value in Surrogate(curves).errors().items():
        click.echo(f"{name} {value:.3f}")


def _expect(
    kept: Sequence[KeptStudy], of: Callable[[KeptStudy], int], expected: int, unit: str
) -> None:
    """End with an error unless all studies have what is expected."""
    if any(of(one) != expected for one in kept):
        said = ", ".join(f"{one.name} {of(one)}" for one in kept)
        click.echo(f"Error: expected studies of {expected} {unit}, found {said}", err=True)
        sys.exit(WRONG_INPUT)


if __name__ == "__main__":
    main()

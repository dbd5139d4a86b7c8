"""Measured learning curves in a table, and a model that predicts curves for other points.

    python -m search.benchmark.curves --study full_curves

writes the curves of one or more studies of the experiment `full_curves` (repeat `--study`). The
comparisons of pruners and tuners replay these curves instead of training for days.
"""

import sys
from collections.abc import Sequence
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
from search.common.errors import REFUSED_OR_FAILED, WRONG_INPUT, Refused
from search.common.records import TrialRecord

FloatArray = npt.NDArray[np.float64]

EXPERIMENT = "full_curves"
TABLE = Path(__file__).parent / "curves.csv"
# A point gets the noise of a measured point of similar quality.
LIKE_POINTS = 10


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
        tuple(to_parameters(point, len(names)) for point in points),
        table[names].to_numpy(np.float64),
    )


def write_curves(curves: Curves, path: Path) -> None:
    """Write one row per trial: its point and its validation MSE by epoch."""
    rows = [
        to_flat(parameters)
        | {f"val_mse_{epoch}": value for epoch, value in enumerate(values, start=1)}
        for parameters, values in zip(curves.parameters, curves.val_mse, strict=True)
    ]
    order = [d.name for d in CATALOGUE[EXPERIMENT].space.dimensions]
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
        mean = self._trees.predict([features(parameters)])[0]
        like = np.argsort(np.abs(self._unseen.min(axis=1) - mean.min()))[:LIKE_POINTS]
        chosen = np.random.default_rng(seed).choice(like)
        return np.asarray(np.exp(mean + self._deviations[chosen]))

    def errors(self) -> dict[str, float]:
        """How well the trees predict unseen trials.

        Returns:
            `r2` and `rank_correlation` (Spearman) of the logarithm of the lowest MSE; `typical`:
            the factor by which the median prediction is off.
        """
        measured = np.log(self.curves.val_mse.min(axis=1))
        foreseen = self._unseen.min(axis=1)
        off = np.abs(foreseen - measured)
        return {
            "r2": float(1 - np.mean((foreseen - measured) ** 2) / np.var(measured)),
            "rank_correlation": float(stats.spearmanr(foreseen, measured).statistic),
            "typical": float(np.exp(np.median(off))),
        }


def features(parameters: TrialParameters) -> list[float]:
    """The inputs of the trees for a point: one number per dimension, 0 for missing layers."""
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
    ]


def whole_curves(records: Sequence[TrialRecord], epochs: int) -> Curves:
    """The `records` that were trained for all `epochs`, without the documents' three networks.

    Drawn networks have averaged weights (`ema_epochs`), the documents' networks do not, and the
    trees cannot see this.
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
    from search.common.stores import choose_stores
    from search.tuning.kept_studies import read_study
    from search.tuning.storage import open_existing

    stores = choose_stores(storage, None)
    try:
        opened = open_existing(stores.storage, stores.schema_lock)
        kept = [read_study(opened, study) for study in studies]
    except Refused as error:
        click.echo(f"Refused: {error}", err=True)
        sys.exit(REFUSED_OR_FAILED)
    lengths = {one.name: int(one.contract["epochs"]) for one in kept}
    epochs, *others = set(lengths.values())
    if others:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        click.echo(f"Error: expected studies of the same number of epochs, found {said}", err=True)
        sys.exit(WRONG_INPUT)
    curves = whole_curves([record for one in kept for record in one.records], epochs)
    if len(curves.parameters) < 2 * LIKE_POINTS:
        click.echo(
            f"Error: expected at least {2 * LIKE_POINTS} trials of {epochs} epochs in "
            f"{', '.join(studies)}, found {len(curves.parameters)}.\n"
            f"Next: python -m search.run --experiment {EXPERIMENT} --pruner none",
            err=True,
        )
        sys.exit(WRONG_INPUT)
    write_curves(curves, out)
    click.echo(f"{len(curves.parameters)} curves -> {out}")
    for name, value in Surrogate(curves).errors().items():
        click.echo(f"{name} {value:.3f}")


if __name__ == "__main__":
    main()

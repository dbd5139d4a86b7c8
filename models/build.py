"""Trial parameters to a compiled stacked LSTM, and to the plain copy of it that is saved."""

from collections.abc import Sequence

import keras

from models.fused_lstm import FusedLSTM
from models.lean_dropout import LeanDropout
from models.parameters import TrialParameters
from models.target import LEVEL, Encoding

_PLAIN = {FusedLSTM: keras.layers.LSTM, LeanDropout: keras.layers.Dropout}


def build(
    parameters: TrialParameters, window: int, features: int, horizon: int, seed: int
) -> keras.Model:
    """Build and compile one stacked LSTM.

    LSTM layers, each followed by a dropout layer; every one but the last returns its sequence;
    a dense layer forecasts all steps of the horizon at once. Compiled with Adam, MSE loss (to
    which Keras adds the L2 penalty) and the metric "mse" (without the penalty).

    Args:
        parameters: layer sizes, regularisation and learning rate.
        window: time steps that it reads.
        features: columns of one time step.
        horizon: time steps forecast.
        seed: seeds Python's, NumPy's and TensorFlow's global generators. Initial weights,
            dropout masks and the order of training windows follow from it.

    Returns:
        A model from float32 (batch, window, features), scaled, to float32 (batch, horizon), as
        `models.target` encodes the target.

    Raises:
        ValueError: `window`, `features` or `horizon` is below 1.
    """
    for name, value in (("window", window), ("features", features), ("horizon", horizon)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, found {value}")

    keras.utils.set_random_seed(seed)
    layers = [keras.Input((window, features), name="window")]
    for index, (units, rate) in enumerate(
        zip(parameters.units, parameters.dropout, strict=True), start=1
    ):
        layers += [
            FusedLSTM(
                units,
                return_sequences=index < parameters.layers,
                kernel_regularizer=keras.regularizers.L2(parameters.l2) if parameters.l2 else None,
                recurrent_dropout=parameters.recurrent_dropout,
                name=f"lstm_{index}",
            ),
            LeanDropout(rate, name=f"dropout_{index}"),
        ]
    layers.append(keras.layers.Dense(horizon, name="forecast"))
    model = keras.Sequential(layers, name="stacked_lstm")
    model.compile(
        optimizer=keras.optimizers.Adam(
            parameters.learning_rate, use_ema=parameters.ema_epochs > 0
        ),
        loss="mse",
        metrics=["mse"],
        jit_compile=False,  # on the CPU no faster with one layer, slower with two
    )
    return model


def plain_copy(model: keras.Model, encoding: Encoding = LEVEL) -> keras.Model:
    """Copy a model into stock Keras layers, so that loading it needs no code of this project.

    Args:
        model: a model that `build` made; it is left as it is.
        encoding: of the targets that it learned. Where that is not the level, layers that undo it
            follow.

    Returns:
        An uncompiled model with the same weights, names and input shape, from float32
        (batch, window, features) to the forecasts, float32 (batch, horizon), both scaled.
    """
    copy = keras.Sequential(
        [keras.Input(model.input_shape[1:]), *map(_plain_layer, model.layers)], name=model.name
    )
    copy.set_weights(model.get_weights())
    return copy if encoding.column is None else _decoded(copy, encoding.column, encoding.scale)


def _decoded(network: keras.Model, column: int, scale: float) -> keras.Model:
    """`network` with layers after it that do what `Encoding.decode` does.

    The last value is cut out, not multiplied out: a GPU may round a product to ten bits.
    """
    _, length, features = network.input_shape
    window = keras.Input((length, features), name="window")
    last = keras.layers.Cropping1D((length - 1, 0), name="last_hour")(window)
    last = keras.layers.Permute((2, 1), name="columns")(last)
    last = keras.layers.Cropping1D((column, features - column - 1), name="target")(last)
    last = keras.layers.Flatten(name="last_value")(last)
    output = window
    for layer in network.layers:
        output = layer(output)
    change = keras.layers.Rescaling(scale, name="change")(output)
    level = keras.layers.Add(name="level")([last, change])
    return keras.Model(window, level, name=network.name)


def mean_of(networks: Sequence[keras.Model]) -> keras.Model:
    """One network whose forecast is the mean of the forecasts of `networks`.

    Args:
        networks: one at least, all of the same input and output shape, of stock layers; each
            gets a name of its own.

    Returns:
        An uncompiled model of stock Keras layers, from float32 (batch, window, features) to
        float32 (batch, horizon).
    """
    window = keras.Input(networks[0].input_shape[1:], name="window")
    for number, network in enumerate(networks, start=1):
        network.name = f"network_{number}"
    forecasts = [network(window) for network in networks]
    mean = forecasts[0] if len(forecasts) == 1 else keras.layers.Average(name="mean")(forecasts)
    return keras.Model(window, mean, name="mean_of_networks")


def _plain_layer(layer: keras.Layer) -> keras.Layer:
    return _PLAIN.get(type(layer), type(layer)).from_config(layer.get_config())

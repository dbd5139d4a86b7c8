"""An LSTM layer that runs its whole sequence as one TensorFlow operation on the CPU.

The stock layer loops over the time steps in the graph and pays for some fifty small operations a
step, forward and back. Here one operation does the loop in C++: same weights, configuration and
results, in about half the time for the small networks of this project.
"""

import functools
import logging
from typing import Any

import keras
import tensorflow as tf

_log = logging.getLogger(__name__)


@keras.saving.register_keras_serializable(package="models")
class FusedLSTM(keras.layers.LSTM):  # type: ignore[misc]  # Keras is untyped
    """`keras.layers.LSTM`, faster on the CPU; interchangeable with it in every other respect.

    Arguments, weights, configuration and results are those of `keras.layers.LSTM`. Where the
    operation does not apply (a mask, dropout inside the layer while training, activations other
    than tanh and sigmoid, no bias, a compute type other than float32, `go_backwards`,
    `use_cudnn=True`) the stock layer runs and one log message per reason and process says so.
    Where a GPU is visible the stock layer runs, silently: it uses cuDNN, which is faster still.

    First-order gradients only: the operation has no second derivative.
    """

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Run the recurrence over all time steps.

        Args:
            sequences: float32 (batch, time, features).
            initial_state: hidden and cell state, each float32 (batch, units).
            mask: None, or bool (batch, time), which only the stock layer handles.
            training: whether dropout inside the layer is active.

        Returns:
            The last output (batch, units); all outputs (batch, time, units), or the last alone
            as (batch, 1, units) without `return_sequences`; the final hidden and cell state,
            each (batch, units).
        """
        if tf.config.get_visible_devices("GPU"):
            return self._stock(sequences, initial_state, mask, training)
        reason = self._reason_for_stock(mask, training)
        if reason:
            _announce(reason)
            return self._stock(sequences, initial_state, mask, training)

        # XLA has no kernel for the operation; Keras must not compile a model that holds it.
        self.supports_jit = False
        hidden, cell = whole_sequence(
            tf.transpose(sequences, (1, 0, 2)),
            initial_state[0],
            initial_state[1],
            tf.convert_to_tensor(self.cell.kernel),
            tf.convert_to_tensor(self.cell.recurrent_kernel),
            tf.convert_to_tensor(self.cell.bias),
        )
        last = hidden[-1]
        outputs = tf.transpose(hidden, (1, 0, 2)) if self.return_sequences else last[:, tf.newaxis]
        return last, outputs, [last, cell[-1]]

    def _stock(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool
    ) -> tuple[Any, Any, list[Any]]:
        result: tuple[Any, Any, list[Any]] = super().inner_loop(
            sequences, initial_state, mask, training=training
        )
        return result

    def _reason_for_stock(self, mask: Any, training: bool) -> str | None:
        """The first reason why the operation does not apply, None if it does."""
        if any(part is not None for part in keras.tree.flatten(mask)):
            return "the input carries a mask"
        if training and self.recurrent_dropout:
            return "recurrent dropout is on"
        if training and self.dropout:
            return "input dropout inside the layer is on"
        if self.activation is not keras.activations.tanh:
            return "the activation is not tanh"
        if self.recurrent_activation is not keras.activations.sigmoid:
            return "the recurrent activation is not sigmoid"
        if not self.use_bias:
            return "the layer has no bias"
        if self.compute_dtype != "float32":
            return f"the compute type is {self.compute_dtype}, not float32"
        if self.go_backwards:
            return "the sequence is read backwards"
        if self.use_cudnn is True:
            return "use_cudnn=True asks for cuDNN"
        return None


def whole_sequence(
    sequences: Any, hidden: Any, cell: Any, kernel: Any, recurrent_kernel: Any, bias: Any
) -> tuple[Any, Any]:
    """Run an LSTM over a time-major sequence as one operation.

    Args:
        sequences: float32 (time, batch, features), time at least 1.
        hidden: float32 (batch, units), the hidden state before the first step.
        cell: float32 (batch, units), the cell state before the first step.
        kernel: float32 (features, 4 * units), gates in Keras' order: input, forget, candidate,
            output.
        recurrent_kernel: float32 (units, 4 * units), same order.
        bias: float32 (4 * units,), same order, the forget gate's offset included.

    Returns:
        The hidden and the cell states after every step, each float32 (time, batch, units).
    """
    no_peephole = tf.zeros_like(bias[: bias.shape[0] // 4])
    # BlockLSTMV2 takes Keras' gate order as it is, but its gradients are wrong.
    result = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(sequences, out_type=tf.int64)[0],
        x=sequences,
        cs_prev=cell,
        h_prev=hidden,
        w=_swap_forget_and_candidate(tf.concat((kernel, recurrent_kernel), axis=0)),
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=_swap_forget_and_candidate(bias),
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    )
    return result.h, result.cs


def _swap_forget_and_candidate(gates: Any) -> Any:
    """Keras' gate order (i, f, c, o) on the last axis to the operation's (i, c, f, o)."""
    i, f, c, o = tf.split(gates, 4, axis=-1)
    return tf.concat((i, c, f, o), axis=-1)


@functools.cache
def _announce(reason: str) -> None:
    _log.warning("%s: the stock LSTM layer runs instead of the fused one, slower", reason)

"""A dropout layer that costs the CPU half of what the stock one does.

A stock dropout between two LSTM layers draws a float32 for every element and forces two transposes
of the whole sequence, since the fused layer works with time first. Here 16 random bits decide an
element, and they are drawn with time first too: TensorFlow's graph optimiser then removes the pairs
of transposes that cancel each other.
"""

from typing import Any

import keras
import tensorflow as tf

_LEVELS = 2**16


@keras.saving.register_keras_serializable(package="models")
class LeanDropout(keras.layers.Dropout):  # type: ignore[misc]  # Keras is untyped
    """`keras.layers.Dropout`, faster on the CPU; interchangeable with it in every other respect.

    Arguments and configuration are those of `keras.layers.Dropout`; the masks are others. The rate
    is rounded to a multiple of 2**-16, and what is kept is scaled by the rounded rate, so that
    means are kept exactly. Where a GPU is visible or a `noise_shape` is set the stock layer runs.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop elements of a float tensor of any shape while training; else return it as it is."""
        if not training or self.rate == 0:
            return inputs
        dropped = min(round(self.rate * _LEVELS), _LEVELS - 1)
        if self.noise_shape is not None or tf.config.get_visible_devices("GPU"):
            return super().call(inputs, training=training)
        sequence = len(inputs.shape) == 3
        x = tf.transpose(inputs, (1, 0, 2)) if sequence else inputs
        keep = self._bits(tf.shape(x)) >= tf.constant(dropped, tf.uint16)
        x *= tf.cast(keep, x.dtype) * (_LEVELS / (_LEVELS - dropped))
        return tf.transpose(x, (1, 0, 2)) if sequence else x

    def _bits(self, shape: Any) -> Any:
        """Random uint16 of `shape`, evenly over all 2**16 values."""
        count = tf.reduce_prod(shape)
        pairs = tf.random.stateless_uniform(
            ((count + 1) // 2,),
            seed=tf.cast(self.seed_generator.next(), tf.int64),
            minval=None,
            maxval=None,
            dtype=tf.int32,
        )
        return tf.reshape(tf.reshape(tf.bitcast(pairs, tf.uint16), (-1,))[:count], shape)

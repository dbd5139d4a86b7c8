"""Where training runs: the one decision between the kernels and TensorFlow.

On a CPU the kernels train, which is faster. On a GPU, where they do not apply and where they do not
work, TensorFlow does.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from models.device import Backend, Device

if TYPE_CHECKING:
    import keras

    from models.trainer import Trainer


def choose_backend(
    device: Device, reason_against: Callable[[], str | None] | None = None
) -> Device:
    """Decide what trains on `device`, as far as the machine decides it; the notes tell it.

    Args:
        device: from `prepare_device`.
        reason_against: says why the kernels do not work here; the check of `models.kernel_check`
            by default.

    Returns:
        The device with its `backend` set.
    """
    if device.kind == "gpu":
        return _with(device, "tensorflow", "by TensorFlow")
    if reason_against is None:
        from models.kernel_check import reason_against_kernels

        reason_against = reason_against_kernels
    reason = reason_against()
    if reason is None:
        return _with(device, "kernels", "by compiled kernels")
    slower = f"the compiled kernels are not used, training is slower: {reason}"
    return _with(device, "tensorflow", "by TensorFlow", slower)


def make_trainer(model: "keras.Model", device: Device) -> "Trainer":
    """What trains `model`, made by `build`, on `device`: the kernels where they apply."""
    from models.fit import KerasTrainer

    if device.backend == "kernels":
        from models.kernel_trainer import KernelTrainer, reason_against

        if reason_against(model) is None:
            return KernelTrainer(model)
    return KerasTrainer(model)


def _with(device: Device, backend: Backend, words: str, *more: str) -> Device:
    first, *others = device.notes
    return replace(device, backend=backend, notes=(f"{first}, {words}", *others, *more))

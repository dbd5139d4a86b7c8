"""What this machine has to train with: its GPUs, and how many workers it takes."""

import os
import shutil
import subprocess


def find_gpus() -> tuple[int, ...]:
    """Indices of the NVIDIA GPUs this process may use, asked of the driver, not of TensorFlow."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        done = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):  # a driver that does not answer trains nothing
        return ()
    found = sum(line.startswith("GPU ") for line in done.stdout.splitlines())
    if done.returncode != 0:
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        asked = [name for name in visible.split(",") if name.strip() not in ("", "-1")]
        found = min(found, len(asked))
    return tuple(range(found))


def default_workers(gpus: tuple[int, ...], per_gpu: int = 1) -> int:
    """`per_gpu` workers a GPU, or one a core that this process may use, container limits included.

    On a CPU one single-threaded process a core is the fastest (docs/performance.md).
    """
    from joblib import cpu_count

    return len(gpus) * per_gpu or int(cpu_count())

"""What the fork server imports once: see `models.fork_server`.

Imported anywhere else, it makes that process one on the CPU.
"""

import contextlib

from models.fork_server import leave_with_parent
from models.tensorflow_start import hide_gpus, one_thread, quiet_start, tensorflow_start

leave_with_parent()
quiet_start()
hide_gpus()
one_thread()
# What fails here fails again, and is told, in the process that needs it.
with contextlib.suppress(Exception):
    with tensorflow_start():
        import models.device
    import models.build
    import models.fit
    import models.kernel_check
    import models.kernel_trainer  # noqa: F401

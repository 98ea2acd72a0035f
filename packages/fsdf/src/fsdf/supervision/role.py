"""Whether this process is a worker process, and how far it is."""

from __future__ import annotations

import sys

PREFIX = "fsdf-"
"""Names of worker processes begin with it."""


class Role:
    """What this process is to a supervisor.

    Attributes:
        working: it is a worker process, and has imported its task.
        lent: it runs single calls for a consumer in another process.
    """

    def __init__(self) -> None:
        self.working = False
        self.lent = False

    def importing(self) -> bool:
        """Whether this is a worker process that imports its modules: nothing but its own task may start in it."""
        loaded = sys.modules.get("multiprocessing.process")
        if self.working or loaded is None:
            return False
        # The name is all that `multiprocessing` has set before it imports the main module.
        name: str = loaded.current_process().name
        return name.startswith(PREFIX)


role = Role()
"""That of this process."""

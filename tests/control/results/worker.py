"""A worker that dies on its way: `python -m tests.control.results.worker QUEUE_FILE STATE_URL MOMENT RUN`.

MOMENT is "before" or "after" its first answer is stored, or "never"; RUN is what its task returns.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from fsdf_brokers.sqlite import SQLiteBroker
from fsdf_control import Results
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.registry import states
from fsdf_core.settings import Settings
from fsdf_pools import ShrinkableThreadPoolExecutor


class Die(Control):
    """Kills its process between a run and the acknowledgement."""

    def on_settle(self, messages: object) -> None:
        """Die."""
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def main() -> None:
    """Consume until the end of standard input, or death."""
    file, url, moment, run = sys.argv[1:]
    store = states.get(url.partition(":")[0]).from_url(url, Settings())
    controls: dict[str, list[Control]] = {
        "before": [Die(), Results(store)],
        "after": [Results(store), Die()],
        "never": [Results(store)],
    }
    pool = ShrinkableThreadPoolExecutor(max_workers=4)
    queue = SQLiteBroker(Path(file), heartbeat_timeout=0.5).queue("q")
    with Consumer(lambda x: [x, run], queue=queue, pool=pool, controls=controls[moment]) as consumer:
        consumer.start()
        threading.Thread(target=print, args=("consuming",), kwargs={"flush": True}, name="fsdf-test-tell").start()
        sys.stdin.read()
        consumer.stop()


if __name__ == "__main__":
    main()

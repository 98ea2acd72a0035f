"""A process that runs the schedules of a store: `python -m tests.control.scheduling_worker [JOB_STORE_KIND]`.

Says "leads" when it has the lease; ends when its standard input does.
"""

import sys
import threading

from fsdf.schedule_manager import manager
from fsdf_core.waiting import wait_until


def main() -> None:
    """Run the schedules until the parent says so."""
    schedules = manager(sys.argv[1] if sys.argv[1:] else "sql")
    schedules.start()
    ended = threading.Event()

    def tell() -> None:
        if wait_until(lambda: schedules.scheduler.leads or ended.is_set(), 60) and not ended.is_set():
            print("leads", flush=True)

    print("started", flush=True)
    telling = threading.Thread(target=tell, name="fsdf-test-tell")
    telling.start()
    sys.stdin.read()
    ended.set()
    telling.join(10)
    schedules.shutdown()


if __name__ == "__main__":
    main()

"""A process that runs the schedules of a home: `python -m tests.control.scheduling_worker`.

Says "leads" when it has the lease; ends when its standard input does.
"""

import sys

from fsdf.schedule_manager import manager
from fsdf_core.waiting import wait_until


def main() -> None:
    """Run the schedules until the parent says so."""
    schedules = manager("sql")
    schedules.start()
    print("started", flush=True)
    if wait_until(lambda: schedules.scheduler.leads or sys.stdin.closed, 60):
        print("leads", flush=True)
    sys.stdin.read()
    schedules.shutdown()


if __name__ == "__main__":
    main()

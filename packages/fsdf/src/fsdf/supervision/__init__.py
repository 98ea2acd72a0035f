"""Worker processes of a function, and the thread that looks after them."""

from typing import TYPE_CHECKING

from fsdf_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from fsdf.supervision.options import SupervisorOptions
    from fsdf.supervision.start import run_consumer_with_multi_process, run_many_consumer_with_multi_process, supervise
    from fsdf.supervision.supervisor import Supervisor

__all__ = [
    "Supervisor",
    "SupervisorOptions",
    "run_consumer_with_multi_process",
    "run_many_consumer_with_multi_process",
    "supervise",
]

# Imported when they are used: multiprocessing takes its time, and every task imports this package.
_HOMES = {
    "Supervisor": ".supervisor",
    "SupervisorOptions": ".options",
    "run_consumer_with_multi_process": ".start",
    "run_many_consumer_with_multi_process": ".start",
    "supervise": ".start",
}

__getattr__ = lazy_names(__name__, _HOMES)

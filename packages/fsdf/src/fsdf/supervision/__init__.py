"""Worker processes of a function, and the thread that looks after them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_HOMES = {"Supervisor": "supervisor", "SupervisorOptions": "options"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # multiprocessing takes its time, and every task imports this package.
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'start')}"), name)

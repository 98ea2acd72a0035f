"""The pool of child processes: for work that needs all cores, and calls that must be killable."""

from fsdf_pools.process_pool.errors import GivenUpError, RemoteError, RemoteTraceback, UnpicklableError, WorkerDiedError
from fsdf_pools.process_pool.pool import ProcessPool

__all__ = [
    "GivenUpError",
    "ProcessPool",
    "RemoteError",
    "RemoteTraceback",
    "UnpicklableError",
    "WorkerDiedError",
]

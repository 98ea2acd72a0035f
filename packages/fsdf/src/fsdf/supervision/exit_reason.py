"""Why a process ended: as the pool of processes tells it."""

from fsdf_pools.process_pool.exit_reason import exit_reason, oom_kills

__all__ = ["exit_reason", "oom_kills"]

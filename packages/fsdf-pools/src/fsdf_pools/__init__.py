"""Concurrency pools: a thread pool that grows when work waits and shrinks when it does not."""

__version__ = "0.1.0"

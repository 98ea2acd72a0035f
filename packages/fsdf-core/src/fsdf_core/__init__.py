"""Message, contracts, publisher and consumer of the fsdf task system, with in-memory implementations."""

__version__ = "0.1.0"

"""One decorator turns any Python function into a distributed, concurrent, controlled task."""

__version__ = "0.1.0"

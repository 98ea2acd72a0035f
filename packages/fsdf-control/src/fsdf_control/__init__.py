"""Controls for fsdf: whether, when and how a task runs."""

__version__ = "0.1.0"

"""Web UI and HTTP API of fsdf."""

__version__ = "0.1.0"

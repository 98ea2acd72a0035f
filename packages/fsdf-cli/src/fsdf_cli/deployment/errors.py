"""What can go wrong with a deployment."""

from __future__ import annotations

from fsdf_core.errors import FsdfError


class DeploymentError(FsdfError):
    """A deployment did not work.

    Attributes:
        output: what the server printed, "" if nothing.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(f"{message}; the server's output:\n{output.rstrip()}" if output.strip() else message)
        self.output = output


class HostKeyRefused(DeploymentError):
    """The server is not known, or is not the one that is known."""

"""What calls in child processes raise besides their own errors."""

from __future__ import annotations


class WorkerDiedError(RuntimeError):
    """The child process ended while it ran the call, or before it was ready; the text tells why."""


class UnpicklableError(TypeError):
    """The call or its result cannot travel between processes."""


class RemoteError(RuntimeError):
    """Stands for an error of the call that cannot travel itself; the text has its type and text."""


class GivenUpError(RuntimeError):
    """The pool was closed, and the call had not ended in time: its process was killed."""


class RemoteTraceback(Exception):
    """The traceback in the child process; the `__cause__` of what a call raised there.

    Args:
        text: as the traceback module formats it.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'

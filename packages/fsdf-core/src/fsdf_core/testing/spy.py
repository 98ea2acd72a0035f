"""A control for tests: what left the consumer, and how."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fsdf_core.control import Control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.message import Message


class Spy(Control):
    """Remembers each message that leaves the consumer, before it is acknowledged or put back.

    Args:
        patience: seconds that `expect` waits at most; default 30.

    Attributes:
        left: the messages, in the order in which they left.
    """

    def __init__(self, patience: float = 30.0) -> None:
        self.left: list[Message] = []
        self._patience = patience
        self._changed = threading.Condition()

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Remember."""
        with self._changed:
            self.left += messages
            self._changed.notify_all()

    def expect(self, count: int) -> list[Message]:
        """Wait for `count` messages in all; return them.

        Raises:
            AssertionError: they did not come in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.left) >= count, self._patience):
                raise AssertionError(f"{len(self.left)} of {count} messages left the consumer: {self.left}")
        return self.left

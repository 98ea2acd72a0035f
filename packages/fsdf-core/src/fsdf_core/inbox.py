"""What workers have finished: many threads put, one thread takes everything there is."""

from __future__ import annotations

import queue
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsdf_core.message import Message


class Inbox:
    """A queue for batches: half the cost of `queue.SimpleQueue` for each item, because only a sleeper is woken.

    Hot paths append to the deques themselves, and then look at `asleep`.

    Attributes:
        asleep: whether the taker waits, or is about to; whoever finds it so after adding something calls `wake`.
        messages: what was put; None is the end.
        successes: what was delivered, of messages that succeeded and that nobody wants to see; digests of them if
            controls keep something (`fsdf_core.digests`). The messages can go where they were made, instead of
            travelling to another core to be freed there.
    """

    def __init__(self) -> None:
        self.asleep = False
        self.messages: deque[Message | None] = deque()
        self.successes: deque[Any] = deque()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()

    def put(self, message: Message | None) -> None:
        """Add a message."""
        self.messages.append(message)
        if self.asleep:
            self.wake()

    def wake(self) -> None:
        """End the wait of the taker; one call too many makes it look once in vain."""
        self.asleep = False  # at once: it takes a moment to wake, in which others put too
        self._bell.put(None)

    def take(self, timeout: float) -> tuple[list[Message | None], list[Any]]:
        """Return all messages and all successes, each in order; wait for the first one.

        Args:
            timeout: most seconds to wait; then both lists are empty.
        """
        messages, successes = self.messages, self.successes
        if not messages and not successes:
            self.asleep = True
            try:
                # Not before the flag: what is put in between would wake nobody.
                if not messages and not successes:
                    self._bell.get(timeout=timeout)
            except queue.Empty:
                pass
            finally:
                self.asleep = False
        take, take_success = messages.popleft, successes.popleft
        return [take() for _ in range(len(messages))], [take_success() for _ in range(len(successes))]

"""The contract of a state store: what consumers, producers and the web UI share besides messages.

Filters, results, heartbeats, pause flags, cancellations, shared rate limits and schedule locks all use it.
Values are bytes; who writes a key decides what they mean. A TTL is in seconds; None means for ever.
Keys, fields, owners and channels are text of at most 512 bytes in UTF-8; case matters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from fsdf_core.watch import UnsureWatch, Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self

    from fsdf_core.settings import Settings
    from fsdf_core.watch import Watch

Keys = set[str]
"""A set of keys, by a name that the method `set` does not hide."""


class StateStore(ABC):
    """Keys with TTL, atomic operations, hashes, leases, and waiting for a change. Thread-safe.

    Attributes:
        cross_process: other processes see the same state.
        wakes: `wait` is woken by `notify` at once; without it, it polls.
        retryable_errors: the client library's exceptions that mean "connection lost, try again".
        cooperative: see `Broker.cooperative`.
    """

    cross_process: ClassVar[bool]
    wakes: bool
    retryable_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    cooperative: bool = False

    @classmethod
    @abstractmethod
    def from_url(cls, url: str, settings: Settings) -> Self:
        """Build the store that the URL describes; opens no connection yet."""

    @abstractmethod
    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values in the order of the keys; None for each that is absent."""

    @abstractmethod
    def set(self, values: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all values."""

    @abstractmethod
    def add(self, values: Mapping[str, bytes], ttl: float | None = None) -> Keys:
        """Write the values whose keys are absent; return the keys that this call wrote.

        Atomic for each key: of many callers exactly one gets it.
        """

    @abstractmethod
    def replace(self, key: str, old: bytes, new: bytes, ttl: float | None = None) -> bool:
        """Write `new` if the key holds exactly `old`; True if it did. The TTL counts anew, None means for ever."""

    @abstractmethod
    def touch(self, values: Mapping[str, bytes], ttl: float) -> Keys:
        """Give each key that still holds this very value `ttl` seconds from now; return those keys."""

    @abstractmethod
    def delete(self, keys: Sequence[str]) -> int:
        """Delete keys, hashes among them; return how many there were."""

    @abstractmethod
    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        """Add to a counter and return it. The TTL counts from the counter's first use.

        Raises:
            ValueError: the key holds something that is no number.
        """

    @abstractmethod
    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Write fields of a hash."""

    @abstractmethod
    def hash_get(self, key: str) -> dict[str, bytes]:
        """Return all fields of a hash; {} if there is none."""

    @abstractmethod
    def hash_delete(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields of a hash; return how many there were."""

    @abstractmethod
    def acquire(self, lease: str, owner: str, ttl: float) -> int | None:
        """Take or renew a lease for `ttl` seconds.

        Returns:
            A fencing token that grows each time the lease changes its owner, or None if another owner holds it.
        """

    @abstractmethod
    def release(self, lease: str, owner: str) -> bool:
        """End the owner's lease; False if it was not the owner's."""

    @abstractmethod
    def notify(self, *channels: str) -> None:
        """Wake those who wait on these channels, in one round trip where the store can."""

    def tell(self, values: Mapping[str, bytes], ttl: float) -> None:
        """Write all values, then wake those who watch the channels named as their keys, if the store wakes anybody.

        Who waits for a value in a store that wakes nobody looks at the value itself.
        """
        self.set(values, ttl)
        if self.wakes:
            self.notify(*values)

    def tell_soon(self, values: Mapping[str, bytes], ttl: float) -> Callable[[], None] | None:  # noqa: ARG002 - contract
        """Begin to `tell`, and return what waits until it is done, and raises what `tell` would; to be called once.

        None is returned if the store must be told at once. After an error `tell` does no harm. Of two that are begun,
        either may be stored first.
        """
        return None

    def watch(self, *channels: str) -> Watch:
        """Return what hears all notifications on these channels from now on; close it after use.

        Opens no connection by itself, and does not wait: a store that is away is heard of when it is back. What
        was notified while nobody could listen counts as notified. A store that does not override this says so of
        every channel ten times a second.
        """
        watch = UnsureWatch(Watches())
        watch.add(*channels)
        return watch

    @abstractmethod
    def wait(self, channel: str, timeout: float) -> bool:
        """Wait until `notify(channel)` or for `timeout` seconds; True if notified (or unsure).

        A notification from before the call does not count: who looks at the state before it waits needs `watch`,
        or else may miss the change between the two. `close` ends it.
        """

    def close(self) -> None:  # noqa: B027 - optional
        """Close all connections and end all waits. Idempotent; a later use connects again."""

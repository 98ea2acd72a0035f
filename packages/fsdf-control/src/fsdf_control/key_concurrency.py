"""At most so many tasks at once for the same value of an argument."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING

import orjson

from fsdf_control.key_slots import KeySlots
from fsdf_core.control import Control
from fsdf_core.errors import StateError
from fsdf_core.verdict import DeadLetter, Delay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.state import StateStore
    from fsdf_core.verdict import Admission

_LONGEST_DELAY = 5.0
_SWEEP_EVERY = 10.0
_ABSENT = "-"


class KeyConcurrency(Control):
    """Lets at most `limit` tasks run at once for the same value of an argument; others are put back for a while.

    The order of the tasks of one value is not kept. A value's slot is taken before the task gets a worker and
    freed when its message is settled, whatever became of it.

    With a store, all consumers of the queue share the limit; a consumer that dies gives its slots up within 5 s,
    one that stands still for so long loses them too.

    Args:
        key: an argument's name; or a function of the arguments, whose None means "no limit for this one". Any
            JSON data or hashable object is a value. A message without the argument counts as one value.
        limit: how many at once, at least 1; default 1.
        store: shares the limit; None (default): each consumer has its own.
        retry_after: seconds for which the first one over the limit is put back; default 0.2. It grows with the
            number of those that wait for the same value, up to 5 s.
        name: tells several shared limits of one queue apart; default: the argument's or the function's name.

    Raises:
        ValueError: limit or retry_after is out of range.

    Example:
        >>> from fsdf_core.message import Message
        >>> one_a_site = KeyConcurrency("site")
        >>> first, second = Message({"site": "a"}, {}), Message({"site": "a"}, {})
        >>> one_a_site.admit_many([first, second, Message({"site": "b"}, {})])
        [None, Delay(seconds=0.2), None]
        >>> one_a_site.on_settle([first])
        >>> one_a_site.admit_many([second])
        [None]
    """

    def __init__(
        self,
        key: str | Callable[[Mapping[str, Any]], object],
        limit: int = 1,
        store: StateStore | None = None,
        retry_after: float = 0.2,
        name: str | None = None,
    ) -> None:
        if limit < 1 or not 0 < retry_after <= _LONGEST_DELAY:
            raise ValueError(
                f"limit must be at least 1 and retry_after above 0 and at most {_LONGEST_DELAY:g} s, "
                f"not {limit} and {retry_after}"
            )
        self._key = key
        self._limit = limit
        self._store = store
        self._name = name or (key if isinstance(key, str) else getattr(key, "__qualname__", type(key).__qualname__))
        self._retry_after = retry_after
        if store is not None:
            self.retryable_errors = (*store.retryable_errors, StateError)
        self._host: Host | None = None
        self._shared: KeySlots | None = None
        self._lock = threading.Lock()
        self._slots: dict[int, str] = {}
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[float]] = {}
        self._swept = 0.0
        self._said = False

    def start(self, host: Host) -> None:
        """Begin with all slots free."""
        self._host = host
        self._slots = {}
        self._running = Counter()
        self._waiting = {}
        if self._store is not None:
            name = f"{host.queue.name}:{self._name}"
            self._shared = KeySlots(self._store, name, host.consumer_id, self._limit, host.logger)

    def stop(self) -> None:
        """Free what is still taken, by tasks that were left behind."""
        host, shared = self._host, self._shared
        self._host = self._shared = None
        if shared is not None:
            try:
                shared.close()
            except Exception as error:  # noqa: BLE001 - stop must not raise
                if host is not None:
                    host.logger.warning("slots of KeyConcurrency stay taken for some seconds: %s", error)

    def tick(self, now: float) -> None:
        """Keep the shared slots."""
        shared = self._shared
        if shared is not None:
            shared.renew(now)

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """Take a slot for each message that gets one."""
        now = self._host.clock.monotonic() if self._host is not None else 0.0
        self._sweep(now)
        verdicts: list[Admission | None] = [None] * len(messages)
        wanted: list[tuple[int, str]] = []
        for place, message in enumerate(messages):
            try:
                value = self._value(message)
            except Exception as error:  # noqa: BLE001 - the user's function may raise anything
                verdicts[place] = self._unclear(message, error)
                continue
            if value is None:
                continue
            if self._reserve(message, value):
                wanted.append((place, value))
            else:
                verdicts[place] = self._delay(value, now)
        if self._shared is not None and wanted:
            taken = self._take_shared(self._shared, messages, wanted)
            for place, value in wanted:
                if id(messages[place]) not in taken:
                    self._free(messages[place])
                    verdicts[place] = self._delay(value, now)
        return verdicts

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Free the slots of the messages that have one.

        Raises:
            StateError: the store is away; to be tried again.
        """
        leaving = [message for message in messages if id(message) in self._slots]
        if not leaving:
            return
        if self._shared is not None:
            self._shared.free([id(message) for message in leaving])
        for message in leaving:
            self._free(message)

    def _take_shared(self, shared: KeySlots, messages: Sequence[Message], wanted: list[tuple[int, str]]) -> set[int]:
        try:
            return shared.take([(id(messages[place]), value) for place, value in wanted])
        except BaseException:
            for place, _ in wanted:
                self._free(messages[place])
            raise

    def _reserve(self, message: Message, value: str) -> bool:
        with self._lock:
            if self._running[value] >= self._limit:
                return False
            self._running[value] += 1
            self._slots[id(message)] = value
            return True

    def _free(self, message: Message) -> None:
        with self._lock:
            value = self._slots.pop(id(message))
            self._running[value] -= 1
            if not self._running[value]:
                del self._running[value]

    def _delay(self, value: str, now: float) -> Delay:
        waiting = self._waiting.setdefault(value, deque())
        while waiting and waiting[0] <= now:
            waiting.popleft()
        seconds = min(_LONGEST_DELAY, self._retry_after * (1 + len(waiting) / self._limit))
        waiting.append(now + seconds)
        return Delay(seconds)

    def _sweep(self, now: float) -> None:
        if now - self._swept >= _SWEEP_EVERY:
            self._swept = now
            self._waiting = {value: waiting for value, waiting in self._waiting.items() if waiting[-1] > now}

    def _value(self, message: Message) -> str | None:
        if isinstance(self._key, str):
            if self._key not in message.arguments:
                return _ABSENT
            value = message.arguments[self._key]
        else:
            value = self._key(message.arguments)
            if value is None:
                return None
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        except TypeError:
            return f"{type(value).__qualname__} {hash(value)}"

    def _unclear(self, message: Message, error: Exception) -> DeadLetter:
        if self._host is not None and not self._said:
            self._said = True
            self._host.logger.warning(
                "KeyConcurrency: no key for task %s, it goes to the dead-letter queue, as will others like it: %r",
                message.task_id,
                error,
            )
        return DeadLetter("its concurrency key cannot be told", repr(error))

"""A Redis server as the state store sees it: commands, scripts, and errors in the store's words."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis

from fsdf_brokers.redis.server import RedisAt
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fsdf_brokers.states.redis.scripts import Script

SLOT = "{fsdf}"
"""What all keys share, so that a cluster keeps them on one node."""

_MOST_AT_ONCE = 50
"""Commands at once; redis-py 8 opens no more than 100 connections, and then raises."""
_REFUSED = (
    redis.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
_AWAY = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "READONLY", "BUSY ")
_CURE = "Does it run, is FSDF_STATE_URL (of schedules on Redis: FSDF_REDIS_URL) right?"


class StateServer:
    """Connects when first used. Thread-safe; not to be used in a forked child.

    Args:
        url: as of the brokers: redis://, rediss://, redis+sentinel://, redis+cluster://; passwords are never printed.

    Attributes:
        database: number of the database; notifications know none.
        clustered: it is a node of a cluster.

    Raises:
        ConfigurationError: it is no URL of Redis.
    """

    def __init__(self, url: str) -> None:
        self._at = RedisAt(url).at(SLOT)
        self.clustered = url.partition("://")[0].endswith("+cluster")
        self._slots = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self.database: int = self._at.shared.get_connection_kwargs().get("db") or 0

    def run(self, *command: Any, again: bool = False) -> Any:
        """Run one command.

        Args:
            *command: its words.
            again: to repeat it does no harm, so that a lost connection is replaced once without an error. One that
                was lost while idle is always replaced: the pool looks before it hands it out.

        Raises:
            StateUnavailable: the server cannot be reached, or went away in the middle.
            StateError: the server refuses.
            ConfigurationError: it does not let us in.
        """
        with self._translated(), self._slots:
            return self._run(command, again=again)

    def script(self, script: Script, keys: Sequence[bytes], *arguments: Any, again: bool = False) -> Any:
        """Run a script; arguments and errors as of `run`."""
        rest = (len(keys), *keys, *arguments)
        with self._translated(), self._slots:
            try:
                return self._run(("EVALSHA", script.digest, *rest), again=again)
            except redis.exceptions.NoScriptError:
                return self._run(("EVAL", script.source, *rest), again=again)

    def begin(self, script: Script, calls: Sequence[tuple[Sequence[bytes], Sequence[Any]]]) -> Callable[[], None]:
        """Send calls of a script that the server knows; return what waits until they have run, to be called once.

        Args:
            script: the script.
            calls: keys and arguments of each.

        Raises:
            StateUnavailable, StateError, ConfigurationError: as `run`; also in the call that waits.
        """
        commands = [("EVALSHA", script.digest, len(keys), *keys, *arguments) for keys, arguments in calls]
        return self._begin(lambda: self._at.direct.begin(commands))

    def begin_sets(self, packed: bytes, sets: int, *last: Any) -> Callable[[], Any]:
        """As `begin`, of so many packed commands that answer OK, and of one more; return what waits for its answer."""
        return self._begin(lambda: self._at.direct.begin_sets(packed, sets, *last))

    def _begin(self, send: Callable[[], Callable[[], Any]]) -> Callable[[], Any]:
        with self._translated():
            answered = send()

        def wait() -> Any:
            with self._translated():
                return answered()

        return wait

    def line(self) -> Any:
        """Open a client of one connection, named `fsdf-state`, for one thread; the caller closes it."""
        return self._at.line("fsdf-state")[0]

    def close(self) -> None:
        """Close what is open; a later use connects again."""
        self._at.close()

    def _run(self, command: Sequence[Any], *, again: bool) -> Any:
        try:
            return self._at.shared.execute_command(*command)
        except redis.ConnectionError:
            if not again:
                raise
        return self._at.shared.execute_command(*command)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        shown = self._at.shown
        try:
            yield
        except _REFUSED as error:
            raise ConfigurationError(
                f"the state store {shown} refuses: {error}. Check user, password and rights: FSDF_STATE_URL"
            ) from None
        except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError) as error:
            raise StateUnavailable(f"the state store {shown} is not available: {_text(error)}. {_CURE}") from error
        except redis.RedisError as error:
            text = _text(error)
            if isinstance(error, redis.OutOfMemoryError) or "OOM " in text:
                raise StateError(f"the state store {shown} is full: {text}. Raise its maxmemory") from error
            if text.startswith(_AWAY):
                raise StateUnavailable(f"the state store {shown} is not available: {text}. {_CURE}") from error
            if "unknown command" in text.lower():
                raise ConfigurationError(f"{shown} is too old, Redis 6.2 or newer is needed: {text}") from error
            raise StateError(f"the state store {shown} cannot be used: {text}") from error


def _text(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")

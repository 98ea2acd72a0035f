"""Commands without what redis-py's client does around each: half of the time of a small one."""

from __future__ import annotations

import os
import weakref
from collections import deque
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import redis

from fsdf_brokers.redis.located import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FRESH = 0.1
"""Seconds after which a connection is looked at before it is used: the server may have closed it."""

_REPEATS, _PAUSE = 3, 0.05

_OK = b"+OK\r\n"
_PIECE = 65536

_all: weakref.WeakSet[Direct] = weakref.WeakSet()


class Direct:
    """Runs commands, each over a connection that no other thread uses meanwhile. Thread-safe.

    There are as many connections as threads ever used it at once.

    Args:
        connect: makes a connection, not yet open.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._idle: deque[tuple[Any, float]] = deque()
        _all.add(self)

    def execute_command(self, *words: Any) -> Any:
        """Run one command; return the answer as it came. It runs again only if a server said that it did not run it.

        Raises:
            redis.RedisError: untranslated.
        """
        connection = self._take()
        try:
            return _run(connection, words)
        except Elsewhere:
            return self._repeat(connection, words)
        finally:
            self._idle.append((connection, monotonic()))

    def begin(self, commands: Sequence[Sequence[Any]]) -> Callable[[], None]:
        """Send commands; return what waits until the server has run them all, to be called once.

        Raises:
            redis.RedisError: untranslated, of any kind, also in the call that waits: nothing runs again by itself.
        """
        connection = self._take()
        try:
            for words in commands:
                connection.send_command(*words)
        except BaseException:
            connection.disconnect()
            raise

        def wait() -> None:
            refusal: redis.ResponseError | None = None
            try:
                for _ in commands:
                    try:
                        _answer(connection)
                    except redis.ResponseError as error:
                        refusal = refusal or error
            finally:
                self._idle.append((connection, monotonic()))
            if refusal is not None:
                raise refusal

        return wait

    def begin_sets(self, packed: bytes, sets: int, *last: Any) -> Callable[[], Any]:
        """Send commands that are packed, and one more; return what waits for the answer of that one.

        Args:
            packed: commands that answer OK.
            sets: how many they are.
            *last: the last command.

        Raises:
            redis.RedisError: as `begin`; redis.ConnectionError, too, if a command does not answer OK.
        """
        connection = self._take()
        try:
            connection.send_packed_command([packed, *connection.pack_command(*last)])
        except BaseException:
            connection.disconnect()
            raise

        def wait() -> Any:
            try:
                _read_oks(connection, sets)
                return _answer(connection)
            finally:
                self._idle.append((connection, monotonic()))

        return wait

    def close(self) -> None:
        """Close the idle connections; those in use open again when they are used again."""
        while self._idle:
            self._idle.pop()[0].disconnect()

    def _take(self) -> Any:
        try:
            connection, used = self._idle.pop()
        except IndexError:
            return self._connect()
        if monotonic() - used > _FRESH:
            _look(connection)
        return connection

    def _repeat(self, connection: Any, words: tuple[Any, ...]) -> Any:
        for _ in range(_REPEATS - 1):
            try:
                return _run(connection, words)
            except Elsewhere:
                sleep(_PAUSE)
        return _run(connection, words)


def _run(connection: Any, words: tuple[Any, ...]) -> Any:
    try:
        connection.send_command(*words)
    except BaseException:
        connection.disconnect()
        raise
    return _answer(connection)


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError:
        raise
    except BaseException:
        # An answer that is still to come must not be the next command's.
        connection.disconnect()
        raise


def _read_oks(connection: Any, count: int) -> None:
    """Read so many answers at a time: to have them parsed one by one takes longer than to write what they answer."""
    left = len(_OK) * count
    answers = bytearray()
    try:
        while left:
            # The parser holds nothing back: all answers before were read to their ends.
            some = connection._sock.recv(min(left, _PIECE))  # noqa: SLF001 - redis-py shows it nowhere else
            if not some:
                raise redis.ConnectionError("the server closed the connection")
            answers += some
            left -= len(some)
        if answers != _OK * count:
            raise redis.ConnectionError("the server does not answer OK")
    except TimeoutError:
        connection.disconnect()
        raise redis.TimeoutError("the server did not answer in time") from None
    except OSError as error:
        connection.disconnect()
        raise redis.ConnectionError(f"{type(error).__name__} while reading answers: {error}") from None
    except BaseException:
        connection.disconnect()
        raise


def _look(connection: Any) -> None:
    try:
        readable = connection.can_read()
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        readable = True
    if readable:
        connection.disconnect()


def _close_after_fork() -> None:
    for direct in list(_all):
        direct.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_after_fork)

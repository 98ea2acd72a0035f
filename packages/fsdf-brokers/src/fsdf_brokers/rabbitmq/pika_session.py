"""A connection of pika whose event loop runs only while somebody waits for something."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

import pika  # type: ignore[import-untyped]
from pika import exceptions
from pika.adapters.select_connection import IOLoop  # type: ignore[import-untyped]

from fsdf_brokers.rabbitmq.link import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    closed_by_server,
    refused,
    unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.rabbitmq.address import Address

_REFUSED = (
    exceptions.ProbableAuthenticationError,
    exceptions.ProbableAccessDeniedError,
    exceptions.AuthenticationError,
)


class PikaSession:
    """Connects, asks, waits. Used by one thread, except `wake`.

    Args:
        address: where to connect.
        name: shown in the server's list of connections.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses.
    """

    def __init__(self, address: Address, name: str) -> None:
        self.blocked = False
        """Whether the server has said that it takes no messages."""
        self._address = address
        self._loop = IOLoop()
        self._lost: Exception | None = None
        self._stopping = False
        self._woken = False
        self._opened = False
        self._connection = pika.SelectConnection(
            _parameters(address, name),
            on_open_callback=self._on_open,
            on_open_error_callback=self.lose,
            on_close_callback=self.lose,
            custom_ioloop=self._loop,
        )
        try:
            self.pump(lambda: self._opened, 2 * CONNECT_TIMEOUT)
        except Exception:
            self.close()
            raise
        self._connection.add_on_connection_blocked_callback(self._on_blocked)
        self._connection.add_on_connection_unblocked_callback(self._on_unblocked)

    def channel(self) -> Any:
        """Open a channel."""
        return self.answer(lambda done: self._connection.channel(on_open_callback=done))

    def answer(self, ask: Callable[[Callable[[Any], None]], object], failed: list[Exception] | None = None) -> Any:
        """Ask the server something, and return its answer.

        Args:
            ask: called with the callback for the answer.
            failed: filled, with `stop()`, if there will be no answer; its error is raised as it is.
        """
        self.check()
        answers: list[Any] = []

        def done(answer: Any) -> None:
            answers.append(answer)
            self.stop()

        try:
            ask(done)
        except exceptions.AMQPError as error:
            raise self._translated(error) from None
        self.pump(lambda: bool(answers or failed), ANSWER_TIMEOUT)
        if failed:
            raise failed[0]
        return answers[0]

    def pump(self, condition: Callable[[], bool], timeout: float) -> None:
        """Serve the connection until the condition holds; callbacks that may fulfil it call `stop()`."""
        deadline = time.monotonic() + timeout
        while not condition():
            self.check()
            left = deadline - time.monotonic()
            if left <= 0:
                raise unreachable(self._address, f"no answer in {timeout:g} seconds")
            self._run(left)

    def wait(self, timeout: float) -> None:
        """Serve the connection until `stop` or `wake` is called, for at most `timeout` seconds."""
        self.check()
        if not self._woken:
            self._run(timeout)
        self._woken = False
        self.check()

    def wake(self) -> None:
        """End a wait; from any thread."""
        if not self._woken:
            self._woken = True
            self._loop.add_callback_threadsafe(self.stop)

    def stop(self) -> None:
        """End a wait, from a callback."""
        if not self._stopping:
            self._stopping = True
            self._loop.stop()

    def lose(self, _: Any, reason: Exception | str) -> None:
        """Note that the connection, or what makes it useful, is gone; a callback."""
        if self._lost is None:
            self._lost = reason if isinstance(reason, Exception) else exceptions.AMQPConnectionError(reason)
        self.stop()

    def check(self) -> None:
        """Raise the error that ended the connection, if one has."""
        if self._lost is not None:
            raise self._translated(self._lost) from None

    def close(self) -> None:
        """Close the connection; never raises."""
        with contextlib.suppress(Exception):
            if self._connection.is_open:
                self._connection.close()
                deadline = time.monotonic() + CONNECT_TIMEOUT
                while not self._connection.is_closed and time.monotonic() < deadline:
                    self._run(0.2)
        with contextlib.suppress(Exception):
            self._loop.close()

    def abandon(self) -> None:
        """Close the socket alone."""
        transport = self._connection._transport  # noqa: SLF001 - there is no other way to a connection's socket
        if transport is not None:
            os.close(transport._sock.detach())  # noqa: SLF001

    def _run(self, timeout: float) -> None:
        self._stopping = False
        timer = self._loop.call_later(timeout, self.stop)
        try:
            self._loop.start()
        finally:
            self._loop.remove_timeout(timer)

    def _translated(self, error: BaseException) -> Exception:
        for cause in _chain(error):
            if isinstance(cause, _REFUSED):
                return refused(self._address, str(cause) or type(cause).__name__)
            if isinstance(cause, (exceptions.ConnectionClosed, exceptions.ChannelClosed)):
                return closed_by_server(self._address, cause.reply_code, cause.reply_text)
        innermost = list(_chain(error))[-1]
        return unreachable(self._address, str(innermost) or type(innermost).__name__)

    def _on_open(self, _: Any) -> None:
        self._opened = True
        self.stop()

    def _on_blocked(self, *_: Any) -> None:
        self.blocked = True
        self.stop()

    def _on_unblocked(self, *_: Any) -> None:
        self.blocked = False


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and those that pika has put into it."""
    chain = [error]
    while chain[-1].args and isinstance(chain[-1].args[0], BaseException):
        chain.append(chain[-1].args[0])
    return chain


def _parameters(address: Address, name: str) -> pika.ConnectionParameters:
    return pika.ConnectionParameters(
        host=address.host,
        port=address.port,
        virtual_host=address.virtual_host,
        credentials=pika.PlainCredentials(address.user, address.password),
        heartbeat=address.heartbeat,
        ssl_options=None if address.tls is None else pika.SSLOptions(address.tls_context(), address.host),
        connection_attempts=1,
        socket_timeout=CONNECT_TIMEOUT,
        stack_timeout=CONNECT_TIMEOUT,
        tcp_options={"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3},
        client_properties={"connection_name": name},
    )

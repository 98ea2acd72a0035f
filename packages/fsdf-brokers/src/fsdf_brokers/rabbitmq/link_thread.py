"""The one thread that uses a link: it serves heartbeats and carries out what other threads ask for."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any, TypeVar

from fsdf_brokers.rabbitmq.link import ANSWER_TIMEOUT, CONNECT_TIMEOUT
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, FsdfError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.rabbitmq.link import Link

T = TypeVar("T")

_PAUSE = 0.5
_PATIENCE = 2 * ANSWER_TIMEOUT
_links: weakref.WeakSet[Link] = weakref.WeakSet()


class LinkThread:
    """One life of one link: opened in its thread, dead with the first error of the connection.

    Args:
        open_link: makes the link.
        name: of the thread.
        turn: called in the thread after each wait; returns the longest next wait in seconds.
        on_end: called in the thread when the link is dead or closed.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it lets us not in.
    """

    def __init__(
        self,
        open_link: Callable[[], Link],
        name: str,
        turn: Callable[[Link], float] = lambda _: _PAUSE,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.error: Exception | None = None
        """Why the link is dead; None while it lives."""
        self._open_link = open_link
        self._turn = turn
        self._on_end = on_end
        self._pid = os.getpid()
        self._jobs: deque[tuple[Callable[[Link], Any], Future[Any] | None]] = deque()
        self._closing = False
        self._link: Link | None = None
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        if not self._opened.wait(_PATIENCE):
            self._closing = True
            raise BrokerUnavailable("RabbitMQ does not answer. Does it run, is FSDF_RABBITMQ_URL right?")
        if self.error is not None:
            raise self.error

    @property
    def alive(self) -> bool:
        """Whether it works; false in a forked child, which has no such thread."""
        return self.error is None and not self._closing and self._pid == os.getpid()

    def post(self, job: Callable[[Link], object]) -> None:
        """Have the thread do it soon; what is posted to a dead link is dropped."""
        self._add(job, None)

    def call(self, job: Callable[[Link], T]) -> T:
        """Have the thread do it, and return what it returned.

        Raises:
            BrokerUnavailable: the link died before or while doing it, or did not answer.
            FsdfError: what the job raised.
        """
        answer: Future[T] = Future()
        self._add(job, answer)
        try:
            return answer.result(_PATIENCE)
        except FutureTimeout:
            raise BrokerUnavailable(f"RabbitMQ has not answered for {_PATIENCE:g} seconds") from None

    def close(self) -> None:
        """Do what is left to do, close the link, end the thread. Idempotent."""
        self._closing = True
        if self._pid != os.getpid():
            return
        link = self._link
        if link is not None:
            with contextlib.suppress(Exception):
                link.wake()
        if self._thread is not threading.current_thread():
            self._thread.join(CONNECT_TIMEOUT + 1)

    def _add(self, job: Callable[[Link], Any], answer: Future[Any] | None) -> None:
        self._jobs.append((job, answer))
        link = self._link
        if self.error is not None or link is None or not self._thread.is_alive():
            self._drop_jobs()
        elif len(self._jobs) == 1 or answer is not None:
            link.wake()

    def _run(self) -> None:
        try:
            link = self._link = self._open_link()
        except Exception as error:  # noqa: BLE001 - raised by the constructor
            self.error = error
            self._opened.set()
            return
        _links.add(link)
        self._opened.set()
        try:
            while not self._closing:
                self._work(link)
                link.wait(self._turn(link))
            self._work(link)
        except FsdfError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a fault of the library ends the link like a lost connection
            self.error = BrokerUnavailable(f"the connection to RabbitMQ failed: {type(error).__name__}: {error}")
            self.error.__cause__ = error
        finally:
            if self.error is None:
                self.error = BrokerUnavailable("the connection to RabbitMQ was closed")
            self._on_end()
            self._drop_jobs()
            link.close()

    def _work(self, link: Link) -> None:
        while self._jobs:
            job, answer = self._jobs.popleft()
            try:
                result = job(link)
            except (BrokerUnavailable, ConfigurationError) as error:
                if answer is not None:
                    answer.set_exception(error)
                raise
            except Exception as error:
                if answer is None:
                    raise
                answer.set_exception(error)
                if not isinstance(error, FsdfError):
                    raise
            else:
                if answer is not None:
                    answer.set_result(result)

    def _drop_jobs(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                _, answer = self._jobs.popleft()
                if answer is not None:
                    answer.set_exception(self.error or BrokerUnavailable("the connection to RabbitMQ was closed"))


def _abandon_after_fork() -> None:
    for link in list(_links):
        with contextlib.suppress(Exception):
            link.abandon()
    _links.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_after_fork)

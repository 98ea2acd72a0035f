"""The producer's side of a decorated function."""

from __future__ import annotations

import itertools
import json
import os
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf.published_future import FuturePublishing
from fsdf.receiver import CLASS, INSTANCE
from fsdf.result import AsyncResult
from fsdf.result_source import ResultSource, asks, never_sent
from fsdf_core.errors import DecodeError
from fsdf_core.message import EXTRA, STAMPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.binder import Binder
    from fsdf.params import BoosterParams
    from fsdf.receiver import Receiver
    from fsdf.task_options import TaskOptions
    from fsdf_core.broker import Queue
    from fsdf_core.message import Message
    from fsdf_core.publisher import Publisher

P = ParamSpec("P")
R = TypeVar("R")

_STAMPS = len(STAMPS)

Call = tuple[Any, ...] | list[Any] | Mapping[str, Any]
"""Positional arguments, or arguments by name."""


class BoosterPublisher(FuturePublishing[P, R]):
    """Publishes calls of one function. Thread-safe.

    Opens its queue at the first use, and anew in a forked process.

    Args:
        params: the task's parameters.
        binder: checks arguments.
        receiver: carries the first argument of methods.
    """

    def __init__(self, params: BoosterParams, binder: Binder, receiver: Receiver) -> None:
        self.queue_name = params.queue_name
        self._params = params
        self._binder = binder
        self._receiver = receiver
        self._bind = binder.bind
        self._asked = params.is_using_rpc_mode
        self._source = ResultSource(self.queue, params.rpc_timeout)
        self._publisher: Publisher | None = None
        self._send: Callable[..., Message] = self._first_send
        self._renew()
        _publishers.add(self)

    def push(self, /, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """Publish one call, written as the call itself.

        Raises:
            TypeError: the function cannot be called like this.
            EncodeError: an argument is not JSON data; names it.
            BrokerError: the broker did not accept it.
        """
        try:
            arguments = self._bind(*args, **kwargs)
        except TypeError:
            raise self._binder.explained(args, kwargs) from None
        if self._receiver.possible:
            arguments = self._packed(arguments)
        return self._result(self._send(arguments))

    def publish(
        self,
        msg: dict[str, Any] | str | bytes,
        task_id: str | int | None = None,
        task_options: TaskOptions | None = None,
        priority_control_config: TaskOptions | None = None,
    ) -> AsyncResult[R]:
        """Publish one call, given as a dict of its arguments or as such an object in JSON.

        What the message carries under `extra` is kept; `task_options` goes before it, `task_id` before both.

        Args:
            msg: the arguments.
            task_id: the task's id; default: a new one.
            task_options: options of this message.
            priority_control_config: the older name of `task_options`.

        Raises:
            TypeError: the function does not take these arguments.
            DecodeError: the text is not JSON.
            EncodeError: an argument is not JSON data; names it.
            UnsupportedFeature: a priority is given and the broker has none.
            BrokerError: the broker did not accept it.
        """
        options = task_options or priority_control_config
        arguments, extra, priority = self._parts(msg, options)
        if task_id is not None:
            extra["task_id"] = str(task_id)
        return self._result(self._send(arguments, extra, priority=priority))

    def push_many(self, calls: Iterable[Call]) -> list[AsyncResult[R]]:
        """Publish many calls in batches; each is a tuple of positional arguments or a dict of named ones.

        Raises:
            TypeError: as `push`; nothing of that batch is published, earlier batches are.
        """
        return self._send_many(map(self._bind_one, calls))

    def publish_many(
        self, msgs: Iterable[dict[str, Any] | str | bytes], task_options: TaskOptions | None = None
    ) -> list[AsyncResult[R]]:
        """Publish many messages in batches, each as `publish` takes it; the options hold for all.

        Raises:
            UnsupportedFeature: a priority is given and the broker has none.
        """
        priority = task_options.wanted_priority if task_options is not None else 0
        return self._send_many((self._parts(msg, task_options)[:2] for msg in msgs), priority)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return a call's arguments by name, as they travel.

        Raises:
            TypeError: the function cannot be called like this.
        """
        return self._arguments(args, kwargs)

    def published(self, args: tuple[Any, ...], kwargs: dict[str, Any], extra: dict[str, Any]) -> AsyncResult[R]:
        """Publish one call with control data: `push` without its speed."""
        return self._result(self._send(self._arguments(args, kwargs), extra))

    def check_func_msg_dict(self, msg_dict: dict[str, Any]) -> None:
        """Raise what `publish` would raise for these arguments; publish nothing."""
        self._parts(msg_dict, None)

    def publish_packed(self, arguments: dict[str, Any], extra: dict[str, Any], task_id: str | None) -> str:
        """Publish what `arguments` has returned, maybe in another process; return the task's id.

        Raises:
            BrokerError: the broker did not accept it.
        """
        if task_id is not None:
            extra["task_id"] = task_id
        return self._send(arguments, extra, priority=_priority(extra)).task_id

    def within(self, connection: Any) -> BoosterPublisher[P, R]:
        """Return a publisher whose tasks exist if, and only if, the connection's transaction is committed.

        Args:
            connection: a connection to the queue's own database (POSTGRES: psycopg 3).

        Raises:
            UnsupportedFeature: the broker is no database that can do it.
            ConfigurationError: raised when publishing, if the connection is none, or leads to another database.

        Example:
            with psycopg.connect(url) as connection:
                connection.execute("INSERT INTO orders VALUES (1)")
                ship.publisher.within(connection).push(order=1)
        """
        from fsdf import assembly  # noqa: PLC0415 - reading settings takes long

        inside: BoosterPublisher[P, R] = BoosterPublisher(self._params, self._binder, self._receiver)
        inside._publisher = assembly.open_publisher(self._params, self.queue().within(connection))
        inside._send = inside._publisher.publish
        return inside

    def send_msg(self, msg: str | bytes | Mapping[str, Any]) -> None:
        """Send a body as it is, as a foreign producer would: no control data, no check."""
        self._open().send_raw(json.dumps(msg) if isinstance(msg, Mapping) else msg)

    def clear(self) -> None:
        """Delete the messages that wait; those that run are left alone."""
        self.queue().purge()

    def get_message_count(self) -> int:
        """Return how many messages can be delivered now; -1 if the broker cannot tell."""
        queue = self.queue()
        return queue.size().ready if queue.broker.capabilities.size else -1

    def queue(self) -> Queue:
        """Return the queue, opened at the first use."""
        return self._open().queue

    def _result(self, message: Message) -> AsyncResult[R]:
        extra = message.extra
        asked = self._asked if len(extra) <= _STAMPS else asks(extra, self._asked)
        if message.settlement is not None:
            return AsyncResult(message.task_id, None, self._source, answer=never_sent(message))
        return AsyncResult(message.task_id, None, self._source, asked=asked)

    def _open(self) -> Publisher:
        with self._lock:
            if self._publisher is None:
                from fsdf import assembly  # noqa: PLC0415 - reading settings takes long

                self._publisher = assembly.open_publisher(self._params, assembly.open_queue(self._params))
                self._send = self._publisher.publish
            return self._publisher

    def _first_send(self, *args: Any, **kwargs: Any) -> Message:
        return self._open().publish(*args, **kwargs)

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._publisher = None
        self._send = self._first_send

    def _arguments(self, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            arguments = self._bind(*args, **kwargs)
        except TypeError:
            raise self._binder.explained(tuple(args), kwargs) from None
        return self._packed(arguments) if self._receiver.possible else arguments

    def _packed(self, arguments: dict[str, Any]) -> dict[str, Any]:
        name = self._receiver.name
        if name in arguments and self._receiver.kind() in {INSTANCE, CLASS}:
            return {**arguments, name: self._receiver.pack(arguments[name])}
        return arguments

    def _bind_one(self, call: Call) -> dict[str, Any]:
        if isinstance(call, Mapping):
            return self._arguments((), dict(call))
        if isinstance(call, tuple | list):
            return self._arguments(call, {})
        raise TypeError(f"push_many takes tuples of arguments or dicts of named ones, not {call!r}: write ({call!r},)")

    def _parts(
        self, msg: dict[str, Any] | str | bytes, options: TaskOptions | None
    ) -> tuple[dict[str, Any], dict[str, Any], int]:
        if isinstance(msg, str | bytes):
            try:
                msg = json.loads(msg)
            except ValueError as error:
                raise DecodeError(f"a message that is text must be JSON of the function's arguments: {error}") from None
        if not isinstance(msg, dict):
            raise TypeError(f"a message is a dict of the function's arguments, not {msg!r}")
        arguments = msg.copy()
        extra = arguments.pop(EXTRA, None) or {}
        if not isinstance(extra, dict):
            raise TypeError(f"a message's {EXTRA!r} is a dict of control data, not {extra!r}")
        extra = extra.copy()
        if options is not None:
            extra.update(options.to_extra())
        priority = options.wanted_priority if options is not None else 0
        return self._arguments((), arguments), extra, priority or _priority(extra)

    def _send_many(
        self, calls: Iterable[dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]], priority: int = 0
    ) -> list[AsyncResult[R]]:
        from fsdf_core.publisher import BATCH  # noqa: PLC0415 - comes with the assembly

        publish_many = self._open().publish_many
        calls = iter(calls)
        results: list[AsyncResult[R]] = []
        # Batch by batch, so that a million messages are not kept for their ids.
        while sent := publish_many(itertools.islice(calls, BATCH), priority=priority):
            results += map(self._result, sent)
        return results


def _priority(extra: dict[str, Any]) -> int:
    if not extra:
        return 0
    from fsdf_core.resend import priority_of  # noqa: PLC0415 - comes with the assembly

    return priority_of(extra)


_publishers: weakref.WeakSet[BoosterPublisher[Any, Any]] = weakref.WeakSet()


def _renew_after_fork() -> None:
    for publisher in list(_publishers):
        publisher._renew()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)

"""How one run of a task went, with the field names that users of this family of frameworks know."""

from __future__ import annotations

import functools
import json
import os
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.errors import TaskKilled
from fsdf_core.message import EXTRA
from fsdf_core.settings import get_settings
from fsdf_core.storing_time import storing_times
from fsdf_core.verdict import DeadLetter, Requeue

if TYPE_CHECKING:
    from fsdf_core.message import Message
    from fsdf_core.outcome import Outcome


@dataclass
class FunctionResultStatus:
    """A finished task.

    Attributes:
        task_id: the message's.
        queue_name: where it came from.
        function: the function's name.
        msg_dict: the whole message.
        params: the arguments.
        params_str: the arguments as JSON; what is not JSON data as text.
        result: what the function returned; None after a failure.
        run_times: how often it ran, from 1.
        exception: "Type    message" of the last failure; None after a success.
        exception_type: the failure's type.
        exception_msg: its message.
        time_start: begin of the last run, seconds since the epoch; None if it did not run here.
        time_end: its end.
        time_cost: seconds of the last run.
        success: whether the function returned.
        run_status: "finish".
        publish_time: seconds since the epoch.
        publish_time_format: the same as text, as the producer wrote it.
        process_id: of the worker.
        thread_id: of the worker's thread; None if it did not run.
        host_name: of the worker.
        host_process: "host - process id".
        script_name: file name of the worker's main script.
        user_context: the user's own; never read by fsdf.
        script_name_long: its path, as it was started.
        total_thread: how many threads the worker had; None if that was not noted.
        rpc_result_expire_seconds: how long the result is kept; None if that was not noted.
        rpc_chain_error_msg_dict: None: a failure that comes of another task's has that one's text in its own.
    """

    task_id: str
    queue_name: str
    function: str
    msg_dict: dict[str, Any]
    params: dict[str, Any]
    params_str: str
    result: Any
    run_times: int
    exception: str | None
    exception_type: str | None
    exception_msg: str | None
    time_start: float | None
    time_end: float
    time_cost: float | None
    success: bool
    run_status: str
    publish_time: float | None
    publish_time_format: str | None
    process_id: int
    thread_id: int | None
    host_name: str
    host_process: str
    script_name: str
    user_context: dict[str, Any] = field(default_factory=dict)
    script_name_long: str = ""
    total_thread: int | None = None
    rpc_result_expire_seconds: float | None = None
    rpc_chain_error_msg_dict: dict[str, Any] | None = None
    _has_requeue: bool = False
    _has_to_dlx_queue: bool = False
    _has_kill_task: bool = False

    @property
    def _id(self) -> str:
        return self.task_id

    @property
    def insert_time(self) -> float:
        """When this was stored, seconds since the epoch: records are a moment after `time_end`, which is told here."""
        return self.time_end

    @property
    def utime(self) -> float:
        """The same."""
        return self.time_end

    @property
    def insert_time_str(self) -> str:
        """The same as text, in the zone of the setting `timezone`."""
        return str(self._stored()["insert_time_str"])

    @property
    def insert_minutes(self) -> str:
        """The first 16 characters of that."""
        return str(self._stored()["insert_minutes"])

    def get_status_dict(self) -> dict[str, Any]:
        """Return all fields."""
        return {"_id": self.task_id, **vars(self), **self._stored()}

    def _stored(self) -> dict[str, Any]:
        return storing_times(self.time_end, get_settings().timezone)


def task_status(
    message: Message, outcome: Outcome, *, queue_name: str, function: str, time_start: float | None, time_end: float
) -> FunctionResultStatus:
    """Build the status of a message that has run in this process.

    Args:
        message: what ran.
        outcome: how it ended.
        queue_name: where it came from.
        function: the function's name.
        time_start: begin of the last run, seconds since the epoch; None if unknown.
        time_end: its end.
    """
    error = outcome.error
    host, process = _host_name(), os.getpid()
    script = sys.argv[0] if sys.argv else ""
    return FunctionResultStatus(
        task_id=message.task_id,
        queue_name=queue_name,
        function=function,
        msg_dict={**message.arguments, EXTRA: message.extra},
        params=message.arguments,
        params_str=_text(message.arguments),
        result=outcome.result,
        run_times=outcome.attempts,
        exception=None if error is None else f"{type(error).__name__}    {error}",
        exception_type=None if error is None else type(error).__name__,
        exception_msg=None if error is None else str(error),
        time_start=time_start,
        time_end=time_end,
        time_cost=None if time_start is None else time_end - time_start,
        success=outcome.success,
        run_status="finish",
        publish_time=message.extra.get("publish_time"),
        publish_time_format=message.extra.get("publish_time_format"),
        process_id=process,
        thread_id=threading.get_ident(),
        host_name=host,
        host_process=f"{host} - {process}",
        script_name=Path(script).name,
        script_name_long=script,
        total_thread=threading.active_count(),
        _has_requeue=isinstance(outcome.settlement, Requeue),
        _has_to_dlx_queue=isinstance(outcome.settlement, DeadLetter),
        _has_kill_task=isinstance(error, TaskKilled),
    )


_host_name = functools.cache(socket.gethostname)


def _text(arguments: dict[str, Any]) -> str:
    try:
        return orjson.dumps(arguments, default=str).decode()
    except TypeError:  # keys that are no text, integers of more than 64 bits
        return json.dumps(arguments, ensure_ascii=False, default=str, skipkeys=True)

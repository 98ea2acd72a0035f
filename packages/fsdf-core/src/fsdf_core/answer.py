"""How a task ended, as it is told to those who wait for its result: one value in a state store, by the task's id."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.message import EXTRA

if TYPE_CHECKING:
    from fsdf_core.task_status import FunctionResultStatus

ASKED = "is_using_rpc_mode"
"""Key of a message's `extra`: True asks for an answer, False for none, whatever its function says."""

SUCCEEDED, FAILED, DROPPED, DEAD_LETTERED = "succeeded", "failed", "dropped", "dead-lettered"

RUN = ("task_id", "run_times", "time_start", "time_end", "thread_id", "result")
"""Fields of an answer that its encoded form may hold as a list, under `run`: written in half of the time."""

_PREFIX = "fsdf:result:"
_LONGEST_ID = 300
"""Bytes; keys of state stores have limits, ids of foreign producers have none."""


@dataclass(frozen=True)
class Answer:
    """How a task ended.

    Attributes:
        task_id: the task's.
        state: "succeeded", "failed", "dropped" (it did not run, or its failure was none of its own: filtered,
            expired, killed before it began, …) or "dead-lettered".
        reason: why it was dropped or dead-lettered; "" otherwise.
        result: what the function returned, as JSON data; None after a failure.
        exception_type: name of the last error's type; "" without an error.
        exception_msg: its text.
        traceback: its traceback; "" if it did not run.
        queue_name: where its message came from.
        function: the function's name, if known.
        run_times: how often it ran, from 1.
        time_start: begin of the last run, seconds since the epoch; None if it did not run.
        time_end: its end, or when it was given up.
        process_id: of the worker.
        thread_id: of the worker's thread; None if it did not run.
        host_name: of the worker.
        script_name: file name of the worker's main script.
        script_name_long: its path, as it was started.
        message: the arguments, and the control data under "extra"; {} if it was no task message.
    """

    task_id: str
    state: str
    reason: str = ""
    result: Any = None
    exception_type: str = ""
    exception_msg: str = ""
    traceback: str = ""
    queue_name: str = ""
    function: str = ""
    run_times: int = 0
    time_start: float | None = None
    time_end: float = 0.0
    process_id: int = 0
    thread_id: int | None = None
    host_name: str = ""
    script_name: str = ""
    script_name_long: str = ""
    message: dict[str, Any] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether the function returned."""
        return self.state == SUCCEEDED

    def encode(self) -> bytes:
        """Return the stored form: JSON. `result` and `message` may be `orjson.Fragment`.

        Raises:
            TypeError: the result or the message is not JSON data.
        """
        return orjson.dumps({name: getattr(self, name) for name in _FIELDS})

    def status(self) -> FunctionResultStatus:
        """Return it as the `FunctionResultStatus` that users know; what an answer does not tell is None."""
        from fsdf_core.task_status import FunctionResultStatus  # noqa: PLC0415 - few need it

        arguments = {name: value for name, value in self.message.items() if name != EXTRA}
        extra = self.message.get(EXTRA) or {}
        failed = not self.success
        return FunctionResultStatus(
            task_id=self.task_id,
            queue_name=self.queue_name,
            function=self.function,
            msg_dict=self.message,
            params=arguments,
            params_str=orjson.dumps(arguments, default=str).decode(),
            result=self.result,
            run_times=self.run_times,
            exception=f"{self.exception_type}    {self.exception_msg}" if failed else None,
            exception_type=self.exception_type if failed else None,
            exception_msg=self.exception_msg if failed else None,
            time_start=self.time_start,
            time_end=self.time_end,
            time_cost=None if self.time_start is None else self.time_end - self.time_start,
            success=self.success,
            run_status="finish",
            publish_time=extra.get("publish_time"),
            publish_time_format=extra.get("publish_time_format"),
            process_id=self.process_id,
            thread_id=self.thread_id,
            host_name=self.host_name,
            host_process=f"{self.host_name} - {self.process_id}",
            script_name=self.script_name,
            script_name_long=self.script_name_long,
            _has_to_dlx_queue=self.state == DEAD_LETTERED,
            _has_kill_task=self.exception_type == "TaskKilled",
        )

    def status_dict(self) -> dict[str, Any]:
        """Return the fields of `FunctionResultStatus`, and `state`, `reason` and `traceback`."""
        status = self.status().get_status_dict()
        return status | {"state": self.state, "reason": self.reason, "traceback": self.traceback}


_FIELDS = tuple(each.name for each in fields(Answer))


def answer_key(task_id: str) -> str:
    """Return the key of the state store that holds a task's answer; it is also the channel that tells of it."""
    if len(task_id) * 4 > _LONGEST_ID and len(raw := task_id.encode(errors="backslashreplace")) > _LONGEST_ID:
        return f"{_PREFIX}sha256:{hashlib.sha256(raw).hexdigest()}"
    return _PREFIX + task_id


def decode_answer(value: bytes) -> Answer:
    """Return the answer that a state store holds; fields that this version does not know are left out.

    Raises:
        ValueError: it is none.
    """
    found = orjson.loads(value)
    if isinstance(found, dict) and isinstance(run := found.get("run"), list):
        found.update(zip(RUN, run, strict=False))
    if not isinstance(found, dict) or not {"task_id", "state"} <= found.keys():
        raise ValueError("this is no answer of a task")
    return Answer(**{name: found[name] for name in _FIELDS if name in found})

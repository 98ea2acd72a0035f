"""A record under the field names that users of this family of frameworks know."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.message import EXTRA
from fsdf_core.records import RUNNING, SUCCESS
from fsdf_core.storing_time import storing_times, time_text

if TYPE_CHECKING:
    from fsdf_core.records import TaskRecord


def status_of(record: TaskRecord, timezone: str | None = None) -> dict[str, Any]:
    """Return a record as the fields of `FunctionResultStatus`, with those that were added when it was stored.

    Args:
        record: a whole one, as `RecordStore.get` returns it.
        timezone: IANA name for times as text; None (default) is the machine's zone.
    """
    failed = record.status not in {RUNNING, SUCCESS}
    published = None if record.published is None else time_text(record.published, timezone)
    params = dict(record.arguments)
    stamps = {"task_id": record.task_id, "publish_time": record.published, "publish_time_format": published}
    return {
        "_id": record.task_id,
        "task_id": record.task_id,
        "queue_name": record.queue,
        "function": record.function,
        "msg_dict": {**params, EXTRA: {**stamps, **record.extra}},
        "params": params,
        "params_str": orjson.dumps(params).decode(),
        "result": record.result,
        "run_times": record.attempts,
        "exception": f"{record.error_type}    {record.error}" if failed else None,
        "exception_type": record.error_type or None,
        "exception_msg": record.error if failed else None,
        "rpc_chain_error_msg_dict": None,
        "rpc_result_expire_seconds": None,
        "time_start": record.started,
        "time_end": record.finished,
        "time_cost": record.seconds,
        "success": record.status == SUCCESS,
        "run_status": "running" if record.status == RUNNING else "finish",
        "publish_time": record.published,
        "publish_time_format": published,
        "process_id": record.process,
        "thread_id": record.thread,
        "total_thread": None,
        "host_name": record.host,
        "host_process": f"{record.host} - {record.process}",
        "script_name": PurePath(record.script).name,
        "script_name_long": record.script,
        "user_context": dict(record.context),
        **storing_times(record.moment, timezone),
        "_has_requeue": record.status == "requeued",
        "_has_to_dlx_queue": record.status == "dead-letter",
        "_has_kill_task": record.error_type == "TaskKilled",
    }

"""Waiting for many results at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from fsdf.result_errors import failure, no_answer
from fsdf_core.answer_waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf.result import AsyncResult
    from fsdf_core.answer import Answer
    from fsdf_core.answer_reader import AnswerReader


def wait_for_all(results: Sequence[AsyncResult[Any]], raising: bool, timeout: float | None) -> list[Answer | None]:  # noqa: FBT001 - passed on
    """Wait until all tasks have ended; return how, in order, None for each that has not in time.

    Args:
        results: the tasks.
        raising: raise for the first that failed or has not ended.
        timeout: seconds for all together; None: the longest of theirs.

    Raises:
        TaskFailed: a task failed.
        HasNotAsyncResult: some have not ended in time.
    """
    limit = max((each.timeout for each in results), default=0.0) if timeout is None else timeout
    began = time.monotonic()
    wanted: dict[AnswerReader, list[str]] = {}
    for each in results:
        if each.answer is None:
            for reader in each.readers():
                wanted.setdefault(reader, []).append(each.task_id)
    found = wait_for(wanted, limit - (time.monotonic() - began)) if wanted else {}
    for each in results:
        if each.task_id in found:
            each.keep(found[each.task_id])
    if raising:
        missing = [each.task_id for each in results if each.answer is None]
        if missing:
            raise no_answer(missing, limit, list(wanted))
        for each in results:
            if each.answer is not None and not each.answer.success:
                raise failure(each.answer)
    return [each.answer for each in results]

"""Waiting for the answers of many tasks at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fsdf_core.errors import StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf_core.answer import Answer
    from fsdf_core.answer_reader import AnswerReader


def wait_for(wanted: Mapping[AnswerReader, Sequence[str]], timeout: float) -> dict[str, Answer]:
    """Return the answers of tasks by their ids, waiting for at most `timeout` seconds until all are there.

    A store that is away is waited for, too.

    Args:
        wanted: the tasks' ids, by the readers of the stores where their answers will be; if that is not known, an
            id stands at several.
        timeout: seconds; 0 looks once.

    Raises:
        StateError: a store refuses.
        ConfigurationError: a store's URL is wrong, or its server does not let us in.
    """
    count = len({task_id for task_ids in wanted.values() for task_id in task_ids})
    found: dict[str, Answer] = {}
    for reader, task_ids in wanted.items():
        found |= _read(reader, [each for each in dict.fromkeys(task_ids) if each not in found])
    if len(found) == count or timeout <= 0:
        return found
    changed = threading.Condition()

    def tell(task_id: str, answer: Answer | None) -> None:
        if answer is not None:
            with changed:
                found[task_id] = answer
                if len(found) == count:
                    changed.notify()

    missing = {reader: [each for each in task_ids if each not in found] for reader, task_ids in wanted.items()}
    expected = [(reader, reader.expect(task_ids, tell)) for reader, task_ids in missing.items() if task_ids]
    try:
        with changed:
            changed.wait_for(lambda: len(found) == count, min(timeout, threading.TIMEOUT_MAX))
            return dict(found)
    finally:
        for reader, expectation in expected:
            reader.forget(expectation)


def _read(reader: AnswerReader, task_ids: Sequence[str]) -> dict[str, Answer]:
    away: tuple[type[BaseException], ...] = (StateUnavailable, *reader.retryable_errors)
    try:
        return reader.read(task_ids)
    except away:
        return {}

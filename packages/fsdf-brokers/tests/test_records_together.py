"""Records that are written in one batch are read back as if each had been written alone."""

from __future__ import annotations

import random
from contextlib import closing

from fsdf_brokers.records.sql import SQLRecordStore
from fsdf_core.records import FAILURE, SUCCESS, TaskRecord

MANY = 1500


def records(odd):
    """Successes of one consumer; some, by their numbers, of another kind."""
    for number in range(MANY):
        record = TaskRecord(
            f"task-{number:04}", "queue", "function", SUCCESS, 1000.5 + number, started=2000.25 + number,
            finished=3000.125 + number, attempts=1, arguments={"x": number}, worker="worker", host="host", process=7,
            thread=number % 3, script="script.py", expires=9000.0, result=number if number % 2 else None,
        )  # fmt: skip
        if number in odd:
            record.status, record.error_type, record.error, record.attempts = FAILURE, "ValueError", f"no {number}", 3
        yield record


def kept(path, batches):
    with closing(SQLRecordStore(f"sqlite:///{path.as_posix()}")) as store:
        for batch in batches:
            store.save(batch)
        return {each: store.get(each) for each in (f"task-{number:04}" for number in range(MANY))}


def test_together_as_one_by_one(tmp_path):
    for turn, odd in enumerate([(), (5,), range(0, MANY, 7), range(500)]):
        written = list(records(set(odd)))
        shuffled = random.Random(turn).sample(written, MANY)
        together = kept(tmp_path / f"together-{turn}.sqlite", [shuffled])
        assert together == kept(tmp_path / f"alone-{turn}.sqlite", [[record] for record in written])
        assert [together[each.task_id].error for each in written] == [each.error for each in written]

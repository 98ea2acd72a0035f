"""Task ids: unlike, in order, and a forked child's unlike its parent's."""

import os
import threading
import uuid

import pytest

from fsdf_core import task_id
from fsdf_core.task_id import new_task_id

fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def test_ids_are_uuid7_in_order_of_time():
    ids = [new_task_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {uuid.UUID(each).version for each in ids} == {7}
    assert {uuid.UUID(each).variant for each in ids} == {uuid.RFC_4122}


def test_threads_make_no_id_twice():
    made = []

    def make():
        made.extend([new_task_id() for _ in range(20_000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(made)) == len(made) == 80_000


def ids_of_a_forked_child(count):
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            with os.fdopen(write, "w") as pipe:
                pipe.write("\n".join(new_task_id() for _ in range(count)))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as pipe:
        ids = pipe.read().split("\n")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return ids


@fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_children_make_no_id_of_their_parent_or_of_each_other(monkeypatch):
    # Time stands still: else a new millisecond would hide that parent and children go on from one state.
    monkeypatch.setattr(task_id, "_time_ns", lambda: 1_774_950_000_000_000_000)
    before = [new_task_id() for _ in range(10)]
    children = [ids_of_a_forked_child(1000) for _ in range(3)]
    after = [new_task_id() for _ in range(1000)]
    together = [*before, *after, *(each for ids in children for each in ids)]
    assert len(set(together)) == len(together) == 4010

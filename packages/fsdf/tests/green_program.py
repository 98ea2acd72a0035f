"""A whole program in greenlets: `green_program.py LIBRARY BROKER_KIND FOLDER`. Ends by the signal that it asks for."""

# ruff: noqa: E402 - the patch goes first
import sys

library, kind, folder = sys.argv[1:]
if library == "gevent":
    from gevent import monkey

    monkey.patch_all()
else:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet
    eventlet.monkey_patch()

import threading
import time
from collections import Counter
from pathlib import Path

from fsdf import BoosterParams, TaskOptions, boost
from fsdf.state import state_of
from fsdf_control.kill import kill
from fsdf_core.context import current_message
from fsdf_core.waiting import wait_until

PATIENCE = 45
name = f"green-{library}-{time.time_ns()}"
runs, endings = Counter(), []


class Params(BoosterParams):
    broker_kind: str = kind
    concurrent_mode: str = library


@boost(Params(queue_name=name, concurrent_num=200))
def once(x):
    runs[x] += 1
    time.sleep(0.05)


@boost(
    Params(
        queue_name=f"{name}-hard",
        concurrent_num=20,
        max_retry_times=1,
        function_timeout=0.5,
        is_push_to_dlx_queue_when_retry_max_times=True,
        is_support_remote_kill_task=True,
        user_custom_record_process_info_func=lambda status: endings.append(
            (status.params["what"], status.success, status.exception_type)
        ),
    )
)
def hard(what):
    runs[what, current_message.get().attempt] += 1
    if what == "again" and current_message.get().attempt == 1:
        raise ValueError
    if what == "endless":
        while True:
            time.sleep(0.1)
    if what == "killed":
        time.sleep(PATIENCE)


@boost(Params(queue_name=f"{name}-last", concurrent_num=5))
def last(x):
    Path(folder, f"start-{x}").touch()
    time.sleep(1)
    Path(folder, f"end-{x}").touch()


def tick():
    while True:
        runs["tick"] += 1
        time.sleep(0.01)


def until(condition, what):
    if not wait_until(condition, PATIENCE, 0.01):
        raise SystemExit(f"not in time: {what}; {runs.most_common(3)} {endings}")


def main():
    threading.Thread(target=tick, daemon=True).start()
    once.push_many({"x": x} for x in range(300))
    once.consume()
    until(lambda: len(runs) == 301, "300 tasks")
    # Nothing comes: `receive` waits, and the ticks go on meanwhile.
    before = runs["tick"]
    pause = threading.Event()
    pause.wait(1.5)
    assert runs["tick"] - before > 30, runs["tick"] - before
    once.push(300)
    until(lambda: runs[300], "a push to an idle queue")
    assert once.stop()
    del runs["tick"]
    assert set(runs.values()) == {1}, runs.most_common(3)
    once.push(301)
    once.consume()
    until(lambda: runs[301], "a start after a stop")
    assert once.stop()

    hard.publish({"what": "killed"}, task_id="victim", task_options=TaskOptions(function_timeout=0))
    hard.push("again")
    hard.push("endless")
    began = time.monotonic()
    hard.publish({"what": "later"}, task_options=TaskOptions(countdown=1))
    hard.consume()
    until(lambda: runs["killed", 1], "the victim's start")
    kill(state_of(hard.publisher.queue()), f"{name}-hard", "victim")
    until(lambda: len(endings) == 4, "four endings")
    assert time.monotonic() - began >= 0.9
    assert sorted(endings) == [
        ("again", True, None),
        ("endless", False, "TaskTimeout"),
        ("killed", False, "TaskKilled"),
        ("later", True, None),
    ], endings
    assert hard.stop()
    assert (runs["again", 2], runs["endless", 2], runs["killed", 2]) == (1, 1, 0)

    last.push_many({"x": x} for x in range(500))
    last.consume()
    until(lambda: len(list(Path(folder).glob("start-*"))) == 5, "five starts")
    print("ready", flush=True)
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main()

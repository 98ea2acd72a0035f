"""Signals at bad moments: whatever the main thread is doing, the process drains and ends."""

import os
import signal
import subprocess

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_inside_start(run):
    source = """
    queue = broker.queue("q")
    subscribe = queue.subscribe
    def interrupted(*arguments):
        term()
        for _ in range(1000): time.sleep(0.0001)
        return subscribe(*arguments)
    queue.subscribe = interrupted
    one = consumer()
    try:
        with lifecycle.signals_deferred():
            one.start()
            say("started")
    finally:
        say("left")
    time.sleep(60)
    """
    assert run(source) == (0, ["started", "left"])


def test_inside_stop(run):
    source = """
    one = consumer()
    one.start()
    run = one._run
    close = run._subscription.close
    def interrupted():
        term()
        for _ in range(1000): time.sleep(0.0001)
        close()
        say("closed")
    run._subscription.close = interrupted
    try:
        with lifecycle.signals_deferred():
            say("clean", one.stop())
    finally:
        say("running", one.running)
    time.sleep(60)
    """
    assert run(source) == (0, ["closed", "clean True", "running False"])


def test_nested_blocks_end_with_the_outer_one(run):
    source = """
    try:
        with lifecycle.signals_deferred():
            with lifecycle.signals_deferred():
                term()
                time.sleep(0.2)
            say("inner left")
            time.sleep(0.2)
            say("at the end")
    finally:
        say("left")
    time.sleep(60)
    """
    assert run(source) == (0, ["inner left", "at the end", "left"])


def test_a_block_in_another_thread_defers_nothing(run):
    source = """
    inside = threading.Event()
    def block():
        with lifecycle.signals_deferred():
            inside.set()
            threading.Event().wait(60)
    threading.Thread(target=block, daemon=True).start()
    inside.wait(10)
    term()
    time.sleep(60)
    """
    assert run(source) == (0, [])


@pytest.mark.parametrize("lock", ["broker.queue('q')._lock", "lifecycle._lock", "one._lock"])
def test_while_the_main_thread_holds_a_lock_that_the_drain_needs(run, lock):
    source = f"""
    one = consumer()
    one.start()
    with {lock}:
        term()
        time.sleep(0.2)
    time.sleep(60)
    """
    assert run(source) == (0, [])


def test_while_the_main_thread_holds_a_lock_that_a_task_needs(run):
    source = """
    lock, begun = threading.Lock(), threading.Event()
    def task():
        begun.set()
        with lock:
            say("done")
    one = consumer(task)
    with lock:
        push()
        one.start()
        begun.wait(10)
        term()
        time.sleep(0.2)
    time.sleep(60)
    """
    assert run(source) == (0, ["done"])


def test_while_another_thread_stops_the_consumer(run):
    source = """
    begun, release = threading.Event(), threading.Event()
    def task():
        begun.set()
        release.wait(60)
        say("task ended")
    one = consumer(task)
    push()
    one.start()
    begun.wait(10)
    def stop():
        say("stopping")
        say("clean", one.stop())
    threading.Thread(target=stop).start()
    time.sleep(0.2)
    term()
    time.sleep(0.2)
    say("main goes on")
    release.set()
    time.sleep(60)
    """
    status, lines = run(source)
    assert status == 0
    assert lines[:3] == ["stopping", "main goes on", "task ended"]


def test_while_another_threads_stop_never_ends(run):
    source = """
    lifecycle._FLUSH = 0.3
    one = consumer(grace=0.3)
    one.start()
    one._run.stop = lambda timeout: threading.Event().wait(1000)
    threading.Thread(target=one.stop).start()
    time.sleep(0.2)
    term()
    time.sleep(60)
    """
    assert run(source) == (0, [])


def test_a_task_that_outlasts_its_grace_does_not_keep_the_process(start):
    source = """
    begun = threading.Event()
    def task():
        begun.set()
        threading.Event().wait(1000)
    one = consumer(task, grace=0.2)
    push()
    one.start()
    begun.wait(10)
    term()
    while True: pass
    """
    process = start(source, stderr=subprocess.DEVNULL)
    assert process.wait(20) == 0


def test_a_second_signal_ends_hard_also_inside_a_block(run):
    source = """
    with lifecycle.signals_deferred():
        term()
        time.sleep(0.6)
        say("deferred")
        term()
        time.sleep(60)
    """
    assert run(source) == (128 + signal.SIGTERM, ["deferred"])


def test_a_consumer_started_during_the_drain_is_drained_too(run):
    source = """
    begun = threading.Event()
    def task():
        begun.set()
        time.sleep(0.6)
    first, second = consumer(task), consumer(name="other")
    push()
    first.start()
    begun.wait(10)
    term()
    time.sleep(0.2)
    second.start()
    try:
        time.sleep(60)
    finally:
        say(first.running, second.running)
    """
    assert run(source) == (0, ["False False"])

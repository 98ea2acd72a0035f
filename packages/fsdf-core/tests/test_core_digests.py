"""What controls keep of successes is stored before they are acknowledged; what is not so simple is shown whole."""

import threading

import pytest

from fsdf_core.consumer import Consumer
from fsdf_core.errors import EncodeError, StateUnavailable
from fsdf_core.publisher import Publisher
from fsdf_core.testing.spy import Spy
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor, SoloExecutor

PATIENCE = 30.0


class Keeper(Spy):
    wants_outcomes = False

    def __init__(self, name="kept"):
        super().__init__()
        self.name = name
        self.kept = []
        self.unacked = []

    def start(self, host):
        self.host = host

    def digest(self, message):
        x = message.arguments["x"]
        if x == "trap":
            raise ValueError(x)
        return None if x == "whole" else (self.name, x)

    def on_digests(self, digests):
        self.unacked.append(self.host.queue.size().unacked)
        self.kept += digests


class Counting(Spy):
    settle_options_only = True
    wants_outcomes = False
    count = 0

    def on_successes(self, count):
        self.count += count


def plain(x):
    if x == "fails":
        raise ValueError(x)


async def plain_async(x):
    plain(x)


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, SoloExecutor, AsyncPool])
def workers(request):
    with request.param() if request.param is SoloExecutor else request.param(10) as pool:
        yield plain_async if request.param is AsyncPool else plain, pool


@pytest.fixture
def filled(queue):
    publisher = Publisher(queue)
    publisher.publish_many({"x": x} for x in [*range(30), "fails", "trap", "whole"])
    publisher.publish({"x": "asks"}, {"function_timeout": 5})
    return queue


def run(queue, workers, *controls):
    function, pool = workers
    with Consumer(function, queue=queue, pool=pool, controls=controls) as consumer:
        consumer.start()
        assert wait_until(lambda: consumer.finished == 34 and not queue.size().total, PATIENCE, 0.01)


def arguments(messages):
    return sorted(message.arguments["x"] for message in messages)


def test_simple_successes_are_digested_and_the_others_shown(filled, workers):
    one, two, counting = Keeper("one"), Keeper("two"), Counting()
    run(filled, workers, one, counting, two)
    for keeper in (one, two):
        assert sorted(keeper.kept) == [(keeper.name, x) for x in range(30)]
        assert arguments(keeper.left) == ["asks", "fails", "trap", "whole"]
        assert all(keeper.unacked)
    assert counting.count == 30
    assert arguments(counting.left) == ["asks", "fails", "trap", "whole"]


def test_all_are_shown_if_another_control_must_see_them(filled, workers):
    keeper, spy = Keeper(), Spy()
    run(filled, workers, keeper, spy)
    assert keeper.kept == []
    assert len(keeper.left) == len(spy.left) == 34


def test_a_sample_is_digested_though_it_passes_all_controls(filled, workers):
    class Sampling(Keeper):
        passed = 0

        def around_every(self):
            return 10

        def around(self, call):
            def counted(message):
                self.passed += 1
                return call(message)

            return counted

        around_async = around

    sampling = Sampling()
    run(filled, workers, sampling)
    assert sampling.passed >= 3
    assert len(sampling.kept) == 30


class Sending(Keeper):
    """Begins to store; `trouble` comes while it does."""

    def __init__(self, trouble=None, *, at_once=False):
        super().__init__()
        self.done = []
        self.trouble = trouble
        self.at_once = at_once

    def begin_digests(self, digests):
        self.done.append(("begin", len(digests)))
        if self.trouble and self.at_once:
            raise self.trouble

        def wait():
            self.done.append(("wait", len(digests)))
            if self.trouble:
                raise self.trouble

        return wait


def test_what_was_begun_is_waited_for_and_not_done_again(filled, workers):
    sending = Sending()
    run(filled, workers, sending)
    assert sending.kept == []
    begun = [count for what, count in sending.done if what == "begin"]
    assert [count for what, count in sending.done if what == "wait"] == begun
    assert sum(begun) == 30


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("trouble", [StateUnavailable("away"), KeyError("a fault")])
def test_what_was_begun_in_vain_is_done_anew(filled, workers, trouble, at_once):
    sending = Sending(trouble, at_once=at_once)
    run(filled, workers, sending)
    assert sorted(x for _, x in sending.kept) == list(range(30))
    assert all(sending.unacked)


@pytest.fixture
def few(queue):
    Publisher(queue).publish({"x": 0})
    return queue


def test_a_store_that_is_away_is_waited_for(few, one_thread, caplog):
    class Away(Keeper):
        tries = 0
        retryable_errors = (StateUnavailable,)

        def on_digests(self, digests):
            self.tries += 1
            if self.tries < 3:
                raise StateUnavailable("away")
            super().on_digests(digests)

    away = Away()
    with Consumer(plain, queue=few, pool=one_thread, controls=[away]) as consumer:
        consumer.start()
        assert wait_until(lambda: not few.size().total, PATIENCE, 0.01)
    assert (away.tries, away.kept) == (3, [("kept", 0)])
    assert "cannot settle 1 message(s) now" in caplog.text


def test_a_faulty_control_is_logged_and_keeps_nothing_from_being_acknowledged(few, one_thread, caplog):
    class Faulty(Keeper):
        def on_digests(self, digests):
            raise KeyError("a fault")

    with Consumer(plain, queue=few, pool=one_thread, controls=[Faulty()]) as consumer:
        consumer.start()
        assert wait_until(lambda: not few.size().total, PATIENCE, 0.01)
    assert "an effect of Faulty failed" in caplog.text


def test_what_cannot_be_stored_goes_back_at_the_stop(few, one_thread):
    class Gone(Keeper):
        retryable_errors = (StateUnavailable,)
        tried = threading.Event()

        def on_digests(self, digests):
            self.tried.set()
            raise StateUnavailable("gone for good")

    gone = Gone()
    consumer = Consumer(plain, queue=few, pool=one_thread, controls=[gone])
    consumer.start()
    assert gone.tried.wait(PATIENCE)
    assert not consumer.stop(0.2)
    assert (few.size().ready, few.size().unacked) == (1, 0)


def test_the_next_batch_is_on_its_way_before_the_first_is_waited_for(few, one_thread):
    publisher = Publisher(few)
    steps = []

    class Overlapping(Keeper):
        def begin_digests(self, digests):
            first = digests[0][1]
            if first == 0:
                publisher.publish({"x": 1})
                # The consumer knows its run once `start` has returned; messages may be settled before.
                assert wait_until(lambda: consumer._run and consumer._run.settler.inbox.successes, PATIENCE, 0.01)
            steps.append(("begin", first))
            return lambda: steps.append(("wait", first))

    with Consumer(plain, queue=few, pool=one_thread, controls=[Overlapping()]) as consumer:
        consumer.start()
        assert wait_until(lambda: consumer.finished == 2 and not few.size().total, PATIENCE, 0.01)
    assert steps == [("begin", 0), ("begin", 1), ("wait", 0), ("wait", 1)]


class Checking(Keeper):
    """Runs around what it does not digest; finds fault with some."""

    around_digested = False
    seen = 0

    def around(self, call):
        def seen(message):
            self.seen += 1
            return call(message)

        return seen

    around_async = around

    def digest(self, message):
        if message.arguments["x"] == 7:
            raise EncodeError("seven")
        return super().digest(message)


class Around(Spy):
    settle_options_only = True
    wants_outcomes = False

    def around(self, call):
        return lambda message: call(message)

    around_async = around


@pytest.mark.parametrize(("others", "seen"), [([], 1), ([Around], 34)])
def test_what_is_digested_needs_not_be_run_around_unless_another_control_does_so(filled, workers, others, seen):
    checking = Checking()
    run(filled, workers, checking, *[each() for each in others])
    assert checking.seen == seen  # the message with options in any case


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("faulty", [False, True])
def test_a_digest_may_find_that_the_task_has_failed_whatever_others_say(filled, workers, before, faulty):
    class Whole(Keeper):
        def digest(self, message):
            if faulty:
                raise KeyError("a fault")

    class Once(Spy):
        wants_outcomes = False
        settle_options_only = True
        failed = ()

        def on_error(self, message, error, attempt):
            self.failed += ((message.arguments["x"], type(error).__name__),)

    checking, once = Checking(), Once()
    run(filled, workers, *[Whole() for _ in range(before)], checking, once)
    assert sorted(once.failed, key=str) == [("fails", "ValueError"), (7, "EncodeError")]
    assert len(checking.kept) == (0 if before else 29)
    (failed,) = [message for message in checking.left if message.arguments["x"] == 7]
    assert not failed.outcome.success

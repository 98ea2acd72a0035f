"""Many put, one takes."""

import threading

from fsdf_core.inbox import Inbox


def test_takes_everything_in_order():
    inbox = Inbox()
    for number in range(5):
        inbox.put(number)
    assert inbox.take(0) == [0, 1, 2, 3, 4]
    assert inbox.take(0) == []


def test_a_put_ends_the_wait():
    inbox = Inbox()
    taken = []
    taker = threading.Thread(target=lambda: taken.extend(inbox.take(30)))
    taker.start()
    inbox.put("x")
    taker.join(30)
    assert taken == ["x"]


def test_one_wake_too_many_costs_one_look():
    inbox = Inbox()
    inbox.wake()
    inbox.wake()
    assert inbox.take(30) == []
    assert inbox.take(30) == []
    inbox.put(1)
    assert inbox.take(30) == [1]


def test_nothing_is_lost_between_many_putters_and_a_taker_that_sleeps_again_and_again():
    inbox = Inbox()
    count, putters = 2000, 4

    def put(base):
        for number in range(count):
            inbox.put(base + number)

    threads = [threading.Thread(target=put, args=(count * each,)) for each in range(putters)]
    for thread in threads:
        thread.start()
    seen = []
    while len(seen) < count * putters:
        batch = inbox.take(30)
        seen += batch
    for thread in threads:
        thread.join(30)
    assert sorted(seen) == list(range(count * putters))
    for each in range(putters):
        own = [number for number in seen if number // count == each]
        assert own == sorted(own)

"""Many put, one takes."""

import threading

from fsdf_core.inbox import Inbox
from fsdf_core.waiting import wait_until


def test_takes_everything_in_order():
    inbox = Inbox()
    for number in range(5):
        inbox.put(number)
    inbox.successes.extend("ab")
    assert inbox.take(0) == ([0, 1, 2, 3, 4], ["a", "b"])
    assert inbox.take(0) == ([], [])


def test_a_put_ends_the_wait():
    inbox = Inbox()
    taken = []
    taker = threading.Thread(target=lambda: taken.extend(inbox.take(30)[0]))
    taker.start()
    inbox.put("x")
    taker.join(30)
    assert taken == ["x"]


def test_a_success_ends_the_wait():
    inbox = Inbox()
    taken = []
    taker = threading.Thread(target=lambda: taken.extend(inbox.take(30)[1]))
    taker.start()
    assert wait_until(lambda: inbox.asleep, 30)
    inbox.successes.append("x")
    inbox.wake()
    taker.join(30)
    assert taken == ["x"]


def test_one_wake_too_many_costs_one_look():
    inbox = Inbox()
    inbox.wake()
    inbox.wake()
    assert inbox.take(30) == ([], [])
    assert inbox.take(30) == ([], [])
    inbox.put(1)
    assert inbox.take(30) == ([1], [])


def test_nothing_is_lost_between_many_putters_and_a_taker_that_sleeps_again_and_again():
    inbox = Inbox()
    count, putters = 2000, 4

    def put(base):
        for number in range(count):
            if number % 2:
                inbox.put(base + number)
            else:
                inbox.successes.append(base + number)
                if inbox.asleep:
                    inbox.wake()

    threads = [threading.Thread(target=put, args=(count * each,)) for each in range(putters)]
    for thread in threads:
        thread.start()
    messages, successes = [], []
    while len(messages) + len(successes) < count * putters:
        some, others = inbox.take(30)
        messages += some
        successes += others
    for thread in threads:
        thread.join(30)
    assert sorted(messages + successes) == list(range(count * putters))
    for seen in (messages, successes):
        for each in range(putters):
            own = [number for number in seen if number // count == each]
            assert own == sorted(own)

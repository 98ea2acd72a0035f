"""Claims of SQLITE_QUEUE are ranges of places: what that must never change for messages and their order."""

import random
import threading

import pytest
from tests.servers.messages import bodies, send

from fsdf_brokers.sqlite import SQLiteBroker, place
from fsdf_core.codec import decode
from fsdf_core.publisher import Publisher


@pytest.fixture
def broker(tmp_path):
    broker = SQLiteBroker(tmp_path / "queue.sqlite")
    yield broker
    broker.close()


@pytest.fixture
def queue(broker):
    return broker.queue("q")


@pytest.fixture
def subscribe(queue):
    opened = []

    def opening(name):
        opened.append(queue.subscribe(name, 10))
        return opened[-1]

    yield opening
    for subscription in opened:
        subscription.close()


def test_a_clock_that_goes_back_hides_no_message_within_a_claim(queue, subscribe, monkeypatch):
    first, second = subscribe("first"), subscribe("second")
    send(queue, b"1", b"2", b"3")
    held = first.receive(3, 1)
    first.ack(held[2:])
    monkeypatch.setattr(place.time, "time_ns", lambda: 1000)
    monkeypatch.setattr("fsdf_brokers.sqlite.queue.time_ns", lambda: 1000)
    send(queue, b"4")
    send(queue, b"5", b"6")
    assert bodies(second.receive(5, 1)) == [b"4", b"5", b"6"]


def test_a_higher_priority_that_comes_later_overtakes_a_claim_of_all_ranks(queue, subscribe):
    first, second = subscribe("first"), subscribe("second")
    send(queue, b"high", priority=9)
    send(queue, b"low")
    assert bodies(first.receive(10, 1)) == [b"high", b"low"]
    send(queue, b"middle", priority=5)
    send(queue, b"high again", priority=9)
    send(queue, b"low again")
    assert bodies(second.receive(10, 1)) == [b"high again", b"middle", b"low again"]


@pytest.mark.parametrize(("priority", "same"), [(-3, 0), (1000, 255)])
def test_priorities_out_of_range_count_as_the_nearest(queue, subscribe, priority, same):
    send(queue, b"1", priority=same)
    send(queue, b"2", priority=priority)
    send(queue, b"3", priority=same)
    assert bodies(subscribe("c").receive(3, 1)) == [b"1", b"2", b"3"]


def test_messages_released_from_the_middle_go_to_others_in_their_order(queue, subscribe):
    first, second = subscribe("first"), subscribe("second")
    send(queue, *(b"%d" % number for number in range(6)))
    held = first.receive(6, 1)
    first.release([held[4], held[1], held[2]])
    send(queue, b"6")
    assert queue.size() == (4, 0, 3)
    taken = second.receive(10, 1)
    assert bodies(taken) == [b"1", b"2", b"4", b"6"]
    assert {delivery.delivery_count for delivery in taken} == {1}
    first.ack(held)
    assert queue.size() == (0, 0, 4)
    second.ack(taken)
    assert queue.size() == (0, 0, 0)


def test_purge_leaves_claims_alone(queue, subscribe):
    first = subscribe("first")
    send(queue, b"1", b"2", b"3")
    held = first.receive(3, 1)
    first.release(held[1:2])
    send(queue, b"4", priority=1)
    send(queue, b"5", delay=60)
    assert queue.purge() == 3
    assert queue.size() == (0, 0, 2)
    first.ack(held)
    assert queue.size() == (0, 0, 0)


@pytest.mark.parametrize("delay", [0, 0.001])
def test_requeued_messages_keep_priority_and_order(queue, subscribe, delay):
    first = subscribe("first")
    send(queue, b"1", b"2")
    send(queue, b"high", priority=7)
    first.requeue(first.receive(3, 1), delay)
    found = []
    while len(found) < 3:
        found += bodies(first.receive(3, 1))
    assert found == [b"high", b"1", b"2"]


def test_a_token_settled_twice_means_no_later_claim(queue, subscribe):
    first, second = subscribe("first"), subscribe("second")
    send(queue, b"1")
    old = first.receive(1, 1)
    first.release(old)
    taken = second.receive(1, 1)
    for settle in (first.ack, first.requeue, first.release):
        settle(old)
    assert queue.size() == (0, 0, 1)
    second.ack(taken)
    assert queue.size() == (0, 0, 0)


def test_a_lease_taken_anew_owes_nothing_to_old_tokens(broker, queue, subscribe):
    first = subscribe("first")
    send(queue, b"1")
    old = first.receive(1, 1)
    with broker.database.transaction() as connection:
        connection.execute("DELETE FROM consumer")
        connection.execute(f"DELETE FROM claim_{queue.number}")
    (again,) = first.receive(1, 1)
    first.ack(old)
    assert queue.size().unacked == 1
    first.ack([again])
    assert queue.size().total == 0


def test_a_number_that_became_another_consumers_is_not_used(broker, queue, subscribe):
    first = subscribe("first")
    send(queue, b"1")
    with broker.database.transaction() as connection:
        connection.execute("UPDATE consumer SET name='other'")
    first.receive(1, 1)
    owners = "SELECT name FROM consumer JOIN claim_{} ON consumer=id"
    assert broker.database.read(owners.format(queue.number)) == [("first",)]


def test_any_bytes_come_back_as_they_were(queue, subscribe):
    every = [b"", b"\0", b"a\0b", b"\xff\xfe\x80", "ü,\n".encode(), bytes(range(256)) * 50, b""]
    send(queue, *every)
    assert bodies(subscribe("c").receive(100, 1)) == every


def test_big_messages_are_claimed_a_few_at_a_time(queue, subscribe):
    every = [b"%d" % number * 1_000_000 for number in range(9)] * 3
    send(queue, *every)
    first = subscribe("c")
    found = []
    while len(found) < len(every):
        taken = bodies(first.receive(len(every), 1))
        assert sum(map(len, taken)) <= 10_000_000
        found += taken
    assert found == every


def test_any_mix_of_settling_ends_with_each_message_acknowledged_once(queue, subscribe):
    dice = random.Random(7)
    count = 3000
    send(queue, *(b"%d" % number for number in range(count)))
    acknowledged = []
    lock = threading.Lock()

    def work(subscription):
        while taken := subscription.receive(dice.randrange(1, 200), 0.3):
            dice.shuffle(taken)
            half = len(taken) // 2
            subscription.release(taken[: half // 2])
            subscription.requeue(taken[half // 2 : half])
            subscription.ack(taken[half:])
            with lock:
                acknowledged.extend(bodies(taken[half:]))
            if len(taken) == 1:
                assert queue.size().total < count

    threads = [threading.Thread(target=work, args=(subscribe(name),)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(int, acknowledged)) == list(range(count))
    assert queue.size() == (0, 0, 0)


def test_settled_claims_leave_no_rows(broker, queue, subscribe):
    first = subscribe("first")
    for _ in range(50):
        send(queue, b"1", b"2")
        first.ack(first.receive(2, 1))
    assert len(broker.database.read(f"SELECT * FROM claim_{queue.number}")) <= 1


def test_publish_many_takes_a_priority_and_a_delay_for_all(queue, subscribe):
    publisher = Publisher(queue)
    publisher.publish_many([{"x": 1}])
    publisher.publish_many([{"x": 2}, ({"x": 3}, {"task_id": "third"})], priority=4)
    publisher.publish_many([{"x": 4}, {"x": 5}], delay=60)
    messages = [decode(body) for body in bodies(subscribe("c").receive(9, 1))]
    assert [message.arguments["x"] for message in messages] == [2, 3, 1]
    assert messages[1].task_id == "third"
    assert queue.size().delayed == 2

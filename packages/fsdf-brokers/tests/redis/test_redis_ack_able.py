"""REDIS_ACK_ABLE on a real server: the wire, claims, order, delay."""

import threading
import time

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_core.broker import QueueSize


def test_plain_push_of_any_client_is_a_task(redis_server, subscribe):
    subscription = subscribe()
    redis_server.command("RPUSH", "sums", '{"x":1,"y":2}')
    (delivery,) = subscription.receive(10, 5)
    assert delivery.body == b'{"x":1,"y":2}'
    assert delivery.delivery_count == 1


def test_sent_messages_are_plain_list_entries(redis_server, queue):
    send(queue, b'{"x":1}')
    assert redis_server.command("LRANGE", "sums", "0", "-1") == b'*1\r\n$7\r\n{"x":1}\r\n'


def test_order_and_ack(queue, subscribe):
    send(queue, *numbered(50))
    subscription = subscribe()
    first = subscription.receive(20, 1)
    assert bodies(first) == numbered(50)[:20]
    assert queue.size() == QueueSize(30, 0, 20)
    subscription.ack(first)
    assert queue.size() == QueueSize(30, 0, 0)


def test_identical_bodies_are_several_messages(queue, subscribe):
    send(queue, b"{}", b"{}", b"{}")
    subscription = subscribe()
    deliveries = subscription.receive(10, 1)
    assert len(deliveries) == 3
    subscription.ack(deliveries[:1])
    assert queue.size().unacked == 2
    subscription.requeue(deliveries[1:])
    assert len(subscription.receive(10, 1)) == 2


def test_release_returns_to_the_front_uncounted(queue, subscribe):
    send(queue, *numbered(5))
    subscription = subscribe()
    taken = subscription.receive(3, 1)
    subscription.release(list(reversed(taken)))
    again = subscription.receive(5, 1)
    assert bodies(again) == numbered(5)
    assert {delivery.delivery_count for delivery in again} == {1}


def test_close_returns_to_the_front_counted(queue, subscribe):
    send(queue, *numbered(5))
    first = subscribe("first")
    first.receive(2, 1)
    first.close()
    first.close()
    again = subscribe("second").receive(5, 1)
    assert bodies(again) == numbered(5)
    assert [delivery.delivery_count for delivery in again] == [2, 2, 1, 1, 1]


def test_claims_are_counted_up_and_release_takes_one_off(queue, subscribe):
    send(queue, b"{}")
    for claims in (1, 2, 3):
        subscription = subscribe(f"consumer {claims}")
        (delivery,) = subscription.receive(1, 1)
        assert delivery.delivery_count == claims
        subscription.close()
    subscription = subscribe("last")
    subscription.release(subscription.receive(1, 1))
    (delivery,) = subscription.receive(1, 1)
    assert delivery.delivery_count == 4
    subscription.requeue([delivery])
    assert subscription.receive(1, 1)[0].delivery_count == 1


@pytest.mark.parametrize("body", [b"", b"\0", b"\0007:x", b"\xff\xfe", b"not json", b"x" * 2**20, "ü€😀".encode()])
def test_any_bytes_survive_every_way(queue, subscribe, body):
    send(queue, body)
    subscription = subscribe("first")
    subscription.release(subscription.receive(1, 1))
    subscription.requeue(subscription.receive(1, 1))
    subscription.requeue(subscription.receive(1, 1), 0.01)
    assert bodies(subscription.receive(1, 1)) == [body]
    subscription.close()
    (delivery,) = subscribe("second").receive(1, 1)
    assert (delivery.body, delivery.delivery_count) == (body, 2)


def test_large_bodies_come_in_several_batches(queue, subscribe):
    for number in range(40):
        send(queue, b"%02d" % number + b"x" * 2**20)
    subscription = subscribe()
    seen, batches = [], 0
    while len(seen) < 40:
        deliveries = subscription.receive(1000, 1)
        assert deliveries
        seen += [delivery.body[:2] for delivery in deliveries]
        batches += 1
    assert seen == [b"%02d" % number for number in range(40)]
    assert batches > 1


def test_big_batches_pass_through_every_script(queue, subscribe):
    send(queue, *numbered(12_000))
    subscription = subscribe()
    taken = []
    while batch := subscription.receive(100_000, 0):
        taken += batch
    assert bodies(taken) == numbered(12_000)
    subscription.release(taken)
    taken = []
    while batch := subscription.receive(100_000, 0):
        taken += batch
    assert bodies(taken) == numbered(12_000)
    subscription.requeue(taken[:6000])
    subscription.requeue(taken[6000:9000], 60)
    subscription.ack(taken[9000:])
    assert queue.size() == QueueSize(6000, 3000, 0)


def test_delay_by_the_servers_clock_keeps_order(queue, subscribe):
    subscription = subscribe()
    send(queue, *numbered(20), delay=0.3)
    started = time.monotonic()
    assert queue.size() == QueueSize(0, 20, 0)
    received = subscription.receive(20, 5)
    assert 0.28 <= time.monotonic() - started < 1.0
    assert bodies(received) == numbered(20)


def test_shorter_delay_wakes_a_waiting_consumer(queue, subscribe):
    subscription = subscribe()
    send(queue, b"late", delay=30)
    timer = threading.Timer(0.1, send, (queue, b"soon"), {"delay": 0.1})
    timer.start()
    started = time.monotonic()
    assert bodies(subscription.receive(1, 5)) == [b"soon"]
    assert time.monotonic() - started < 1.0
    timer.join()


def test_waiting_consumer_starts_at_once(queue, subscribe):
    subscription = subscribe()
    delays = []
    for _ in range(50):
        sent = []

        def push(sent=sent):
            sent.append(time.perf_counter())
            send(queue, b"{}")

        timer = threading.Timer(0.01, push)
        timer.start()
        deliveries = subscription.receive(10, 5)
        delays.append(time.perf_counter() - sent[0])
        subscription.ack(deliveries)
        timer.join()
    assert sorted(delays)[25] < 0.02  # on a quiet machine it is under 1 ms


@pytest.mark.realtime
def test_idle_waiting_costs_next_to_nothing(subscribe):
    subscription = subscribe()
    before = time.process_time()
    assert subscription.receive(10, 2.0) == []
    assert time.process_time() - before < 0.1


def test_interrupt_ends_the_wait(subscribe):
    subscription = subscribe()
    timer = threading.Timer(0.1, subscription.interrupt)
    timer.start()
    started = time.monotonic()
    assert subscription.receive(1, 10) == []
    assert time.monotonic() - started < 2.0
    timer.join()


def test_consumer_that_does_not_ask_gets_nothing(queue, subscribe):
    send(queue, *numbered(3))
    subscribe("idle")
    assert bodies(subscribe("busy").receive(10, 1)) == numbered(3)


def test_purge_leaves_what_runs(queue, subscribe):
    send(queue, *numbered(5))
    send(queue, b"later", delay=60)
    subscription = subscribe()
    taken = subscription.receive(2, 1)
    assert queue.purge() == 4
    assert queue.size() == QueueSize(0, 0, 2)
    subscription.ack(taken)


def test_no_key_stays_behind(redis_server, queue, subscribe):
    send(queue, *numbered(3))
    send(queue, b"later", delay=0.01)
    subscription = subscribe()
    while deliveries := subscription.receive(10, 0.3):
        subscription.ack(deliveries)
    subscription.close()
    # the counter that orders delayed messages stays
    assert redis_server.command("KEYS", "*") == b"*1\r\n$20\r\n{sums}:fsdf:sequence\r\n"


def test_two_consumers_never_get_the_same(queue, subscribe):
    send(queue, *numbered(5000))
    seen = []

    def consume(subscription):
        while deliveries := subscription.receive(37, 0.2):
            seen.extend(bodies(deliveries))
            subscription.ack(deliveries)

    threads = [threading.Thread(target=consume, args=(subscribe(f"c{number}"),)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(seen) == sorted(numbered(5000))


def test_threads_end_with_close(subscribe):
    subscription = subscribe()
    assert any(thread.name == "fsdf-redis-lease-sums" for thread in threading.enumerate())
    subscription.close()
    assert not any(thread.name == "fsdf-redis-lease-sums" for thread in threading.enumerate())


def test_waiting_survives_that_the_server_forgets_its_scripts(redis_server, queue, subscribe):
    subscription = subscribe()
    assert subscription.receive(10, 0) == []
    redis_server.command("SCRIPT", "FLUSH")
    sender = threading.Timer(0.1, send, (queue, b"{}"))
    sender.start()
    received = subscription.receive(10, 10)
    sender.join()
    assert bodies(received) == [b"{}"]
    subscription.ack(received)
    assert queue.size() == QueueSize(0, 0, 0)


def test_large_messages_beyond_one_claim_follow_at_once(queue, subscribe):
    subscription = subscribe()
    for _ in range(40):
        send(queue, b"x" * 2**20)
    began = time.monotonic()
    sizes = []
    while sum(sizes) < 40:
        sizes.append(len(subscription.receive(100, 10)))
    assert len(sizes) > 1
    assert time.monotonic() - began < 8

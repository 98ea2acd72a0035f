"""What a queue and its subscriptions must do."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable
from fsdf_core.testing.conformance.receiving import PATIENCE, receive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_core.broker import Broker, Delivery, Queue, Subscription


def bodies(deliveries: list[Delivery]) -> list[Any]:
    """Return what was sent."""
    return [delivery.body for delivery in deliveries]


class QueueConformance:
    """Send, receive, acknowledge, give back."""

    @pytest.fixture
    def queue(self, broker: Broker) -> Queue:
        """Return a queue that nobody else uses."""
        return broker.queue(f"conformance-{uuid.uuid4().hex}")

    @pytest.fixture
    def subscription(self, queue: Queue) -> Iterator[Subscription]:
        """Return the first consumer's subscription."""
        subscription = self.subscribe(queue)
        yield subscription
        subscription.close()

    @staticmethod
    def subscribe(queue: Queue) -> Subscription:
        """Subscribe under a new name."""
        return queue.subscribe(f"consumer-{uuid.uuid4().hex}", 100)

    @staticmethod
    def body(queue: Queue, number: int, text: str = "") -> Any:
        """Return a body that the queue accepts."""
        if not queue.serializes:
            return {"number": number, "text": text}
        return f'{{"number":{number},"text":"{text}"}}'.encode()

    def send(self, queue: Queue, *numbers: int, **options: Any) -> list[Any]:
        """Send numbered bodies; return them."""
        sent = [self.body(queue, number) for number in numbers]
        queue.send([OutgoingMessage(body, **options) for body in sent])
        return sent

    def test_what_is_acknowledged_is_gone(self, queue: Queue, subscription: Subscription) -> None:
        sent = self.send(queue, 1, 2, 3)
        got = receive(subscription, 3)
        assert sorted(map(str, bodies(got))) == sorted(map(str, sent))
        subscription.ack(got)
        subscription.close()
        assert queue.size().total == 0

    def test_order(self, queue: Queue, subscription: Subscription) -> None:
        sent = self.send(queue, *range(50))
        if queue.broker.capabilities.ordering == "fifo":
            assert bodies(receive(subscription, 50)) == sent

    def test_an_empty_queue_answers_in_time(self, subscription: Subscription) -> None:
        started = time.monotonic()
        assert subscription.receive(5, 0.3) == []
        assert 0.1 < time.monotonic() - started < 3

    def test_interrupt_ends_a_wait(self, subscription: Subscription) -> None:
        timer = threading.Timer(0.1, subscription.interrupt)
        timer.start()
        started = time.monotonic()
        assert subscription.receive(5, 8) == []
        assert time.monotonic() - started < 4
        timer.join()

    def test_a_send_wakes_a_wait(self, queue: Queue, subscription: Subscription) -> None:
        timer = threading.Timer(0.1, self.send, (queue, 7))
        timer.start()
        started = time.monotonic()
        assert len(subscription.receive(5, 8)) == 1
        assert time.monotonic() - started < 4
        timer.join()

    def test_close_gives_back(self, queue: Queue, subscription: Subscription) -> None:
        if not queue.broker.capabilities.acks:
            return
        sent = self.send(queue, 1, 2, 3)
        first, *_ = receive(subscription, 3)
        subscription.ack([first])
        subscription.close()
        heir = self.subscribe(queue)
        again = receive(heir, 2)
        assert sorted(map(str, bodies(again))) == sorted(str(body) for body in sent if body != first.body)
        if queue.broker.capabilities.delivery_count:
            assert {delivery.delivery_count for delivery in again} == {2}
        heir.close()

    def test_release_is_uncounted(self, queue: Queue, subscription: Subscription) -> None:
        self.send(queue, 1, 2)
        held = receive(subscription, 2)
        subscription.release(held)
        again = receive(subscription, 2)
        assert sorted(map(str, bodies(again))) == sorted(map(str, bodies(held)))
        if queue.broker.capabilities.delivery_count:
            assert {delivery.delivery_count for delivery in again} == {1}

    def test_requeue_counts_anew(self, queue: Queue, subscription: Subscription) -> None:
        one, two = self.send(queue, 1, 2)
        (held,) = receive(subscription, 1)
        subscription.requeue([held])
        again = receive(subscription, 2)
        assert sorted(map(str, bodies(again))) == sorted(map(str, (one, two)))
        if queue.broker.capabilities.ordering == "fifo":
            assert bodies(again) == [two, one]
        if queue.broker.capabilities.delivery_count:
            assert {delivery.delivery_count for delivery in again} == {1}

    def test_delay(self, queue: Queue, subscription: Subscription) -> None:
        if not queue.broker.capabilities.delay:
            return
        started = time.monotonic()
        self.send(queue, 1, delay=0.5)
        assert queue.size().delayed == 1
        (held,) = receive(subscription, 1)
        assert 0.4 < time.monotonic() - started < 3
        subscription.requeue([held], 0.5)
        started = time.monotonic()
        receive(subscription, 1)
        assert 0.4 < time.monotonic() - started < 3

    def test_priority(self, queue: Queue, subscription: Subscription) -> None:
        if not queue.broker.capabilities.priority:
            return
        low = self.send(queue, 1, 2)
        high = self.send(queue, 3, priority=9)
        assert bodies(receive(subscription, 3)) == high + low

    @pytest.mark.parametrize("text", ["你好 ✓ \U0001f600", "x" * 1_000_000], ids=["unicode", "1 MB"])
    def test_body_comes_back_as_sent(self, queue: Queue, subscription: Subscription, text: str) -> None:
        body = self.body(queue, 1, text)
        queue.send([OutgoingMessage(body)])
        assert bodies(receive(subscription, 1)) == [body]

    def test_identical_bodies_are_two_messages(self, queue: Queue, subscription: Subscription) -> None:
        self.send(queue, 1, 1)
        first, second = receive(subscription, 2)
        subscription.ack([first])
        subscription.requeue([second])
        receive(subscription, 1)

    def test_two_consumers_share_without_duplicates(self, queue: Queue) -> None:
        self.send(queue, *range(600))
        seen: list[str] = []
        subscriptions = [self.subscribe(queue), self.subscribe(queue)]

        deadline = time.monotonic() + 3 * PATIENCE

        def drain(subscription: Subscription) -> None:
            empty = False
            # Once more when everything has come: there might be more than that.
            while time.monotonic() < deadline and not (empty and len(seen) >= 600):
                batch = patiently(subscription)
                seen.extend(map(str, bodies(batch)))
                subscription.ack(batch)
                empty = not batch

        def patiently(subscription: Subscription) -> list[Delivery]:
            while True:
                try:
                    return subscription.receive(7, 0.5)
                except BrokerUnavailable:
                    # One that commits before it delivers may have to come again while consumers join.
                    if queue.broker.capabilities.acks or time.monotonic() > deadline:
                        raise
                    subscription.reconnect()

        threads = [threading.Thread(target=drain, args=(subscription,)) for subscription in subscriptions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for subscription in subscriptions:
            subscription.close()
        assert len(seen) == len(set(seen)) == 600
        assert queue.size().total == 0

    def test_size_and_purge(self, queue: Queue, subscription: Subscription) -> None:
        self.send(queue, *range(5))
        (held,) = receive(subscription, 1)
        size = queue.size()
        assert size.ready == 4
        if queue.broker.capabilities.acks:
            assert size.unacked == 1
        assert queue.purge() == 4
        assert queue.size().ready == 0
        subscription.ack([held])
        assert queue.size().total == 0

    def test_late_and_double_acks_are_harmless(self, queue: Queue) -> None:
        if not queue.broker.capabilities.acks:
            return
        self.send(queue, 1)
        late = self.subscribe(queue)
        held = receive(late, 1)
        late.close()
        heir = self.subscribe(queue)
        again = receive(heir, 1)
        late.ack(held)
        heir.ack(again)
        heir.ack(again)
        assert queue.size().total == 0
        heir.close()

    def test_a_big_batch(self, queue: Queue, subscription: Subscription) -> None:
        self.send(queue, *range(3000))
        subscription.ack(receive(subscription, 3000))
        assert queue.size().total == 0

"""A producer and a consumer that keep on while their server changes."""

import threading

from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable
from fsdf_core.waiting import wait_until

PATIENCE = 30


class Traffic:
    """One thread sends numbers, another consumes them; both go on after BrokerUnavailable.

    Attributes:
        accepted: bodies that `send` returned for.
        seen: bodies that were received.
        complete: after the end, whether all accepted ones were seen.
    """

    def __init__(self, queue):
        self.accepted, self.seen = set(), set()
        self.complete = False
        self.failures = []
        self._queue = queue
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._watched, args=(target,)) for target in (self._produce, self._consume)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def flows(self):
        """Wait until a message that is sent from now on is consumed."""
        accepted = set(self.accepted)
        return wait_until(lambda: (set(self.accepted) - accepted) & set(self.seen), PATIENCE)

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        self.complete = self.accepted <= self.seen

    def _watched(self, target):
        try:
            target()
        except Exception as error:  # noqa: BLE001 - the test says what it was
            self.failures.append(error)

    def _produce(self):
        number = 0
        while not self._stopped.wait(0.001):
            number += 1
            body = b"%d" % number
            try:
                self._queue.send([OutgoingMessage(body)])
            except BrokerUnavailable:
                self._stopped.wait(0.05)
            else:
                self.accepted.add(body)

    def _consume(self):
        subscription = self._queue.subscribe("c", 10)
        while True:
            try:
                deliveries = subscription.receive(100, 0.2)
                if not deliveries and self._stopped.is_set():
                    break
                self.seen.update(delivery.body for delivery in deliveries)
                subscription.ack(deliveries)
            except BrokerUnavailable:
                self._stopped.wait(0.05)
                self._reconnect(subscription)
        subscription.close()

    def _reconnect(self, subscription):
        while True:
            try:
                return subscription.reconnect()
            except BrokerUnavailable:
                self._stopped.wait(0.05)

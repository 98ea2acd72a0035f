"""A producer that goes on while the server is away."""

import threading

from fsdf_core.errors import BrokerUnavailable
from fsdf_core.testing.history import check


class Producer:
    """Publishes one task after the other, also while the server is away.

    Attributes:
        accepted: numbers of the tasks whose publish returned.
        doubtful: those whose publish raised: the server may have them or not.
    """

    def __init__(self, fleet):
        self.accepted = []
        self.doubtful = set()
        self._fleet = fleet
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fsdf-test-producer")
        self._thread.start()

    def _run(self):
        number = 0
        while not self._ended.wait(0.002):
            number += 1
            try:
                self._fleet.publisher.publish({"number": number})
            except BrokerUnavailable:
                self.doubtful.add(number)
            else:
                self.accepted.append(number)

    def end(self):
        self._ended.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def check_all(fleet, producer):
    """Everything accepted ran, and nothing ran twice."""
    ran = {int(line.split()[1]) for line in fleet.events().splitlines()}
    check(fleet.history, {*producer.accepted, *(producer.doubtful & ran)}, fleet.kills)

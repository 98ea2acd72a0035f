"""fsdf through its decorator, default settings."""

from __future__ import annotations

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.task import task
from fsdf import BoosterParams, BrokerEnum, boost


class Fsdf(Driver):
    """`push`, `push_many`, `consume`."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        kind = {"memory": BrokerEnum.MEMORY_QUEUE, "sqlite": BrokerEnum.SQLITE_QUEUE}[setting.transport]
        self._task = boost(BoosterParams(queue_name="bench", broker_kind=kind, concurrent_num=setting.workers))(task)

    def publish(self, count: int) -> None:
        push = self._task.push
        for number in range(count):
            push(number, 2)

    def publish_bulk(self, count: int) -> None:
        self._task.push_many({"x": number, "y": 2} for number in range(count))

    def start(self) -> None:
        self._task.consume()


build = Fsdf

"""dramatiq with its default middleware: StubBroker, its in-process broker, RedisBroker and RabbitmqBroker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable


class Dramatiq(Driver):
    """`send`, and a Worker in this process."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._broker = _broker(setting)
        dramatiq.set_broker(self._broker)
        self._task = dramatiq.actor(setting.task, queue_name=setting.queue)

    def publish(self, numbers: Iterable[int]) -> None:
        send = self._task.send
        for number in numbers:
            send(number, 2)

    def start(self) -> None:
        self._worker = dramatiq.Worker(self._broker, worker_threads=self.setting.workers)
        self._worker.start()


def _broker(setting: Setting) -> dramatiq.Broker:
    if setting.transport == "redis":
        from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415 - only where it is installed

        return RedisBroker(url=setting.address)
    if setting.transport == "rabbitmq":
        from dramatiq.brokers.rabbitmq import RabbitmqBroker  # noqa: PLC0415

        return RabbitmqBroker(url=setting.address, confirm_delivery=setting.confirm)
    from dramatiq.brokers.stub import StubBroker  # noqa: PLC0415

    return StubBroker()


build = Dramatiq

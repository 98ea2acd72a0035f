"""taskiq on Redis: RedisStreamBroker, its only broker for Redis that acknowledges."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from taskiq.acks import AcknowledgeType
from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable


class TaskiqRedis(Driver):
    """`kiq` on an event loop; `start` runs a receiver on the same loop, which runs tasks in a thread pool."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._loop = asyncio.new_event_loop()
        self._broker = RedisStreamBroker(setting.address, queue_name=setting.queue)
        self._task = self._broker.register_task(setting.task, task_name="task")
        self._loop.run_until_complete(self._broker.startup())

    def publish(self, numbers: Iterable[int]) -> None:
        self._loop.run_until_complete(self._send(numbers))

    def start(self) -> None:
        threading.Thread(target=self._loop.run_until_complete, args=(self._receive(),), daemon=True).start()

    async def _send(self, numbers: Iterable[int]) -> None:
        kiq = self._task.kiq
        for number in numbers:
            await kiq(number, 2)

    async def _receive(self) -> None:
        await run_receiver_task(self._broker, sync_workers=self.setting.workers, ack_time=AcknowledgeType.WHEN_EXECUTED)


build = TaskiqRedis

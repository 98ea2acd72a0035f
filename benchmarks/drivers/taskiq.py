"""taskiq: InMemoryBroker, which runs a task on the loop that sent it; the function runs in a thread pool."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from taskiq import InMemoryBroker

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable


class Taskiq(Driver):
    """`kiq` puts a task on an event loop; `start` lets the loop run."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._loop = asyncio.new_event_loop()
        self._broker = InMemoryBroker(sync_tasks_pool_size=setting.workers)
        self._task = self._broker.register_task(setting.task, task_name="task")
        self._loop.run_until_complete(self._broker.startup())

    def publish(self, numbers: Iterable[int]) -> None:
        # Stepped by hand: a running loop would start to run the first tasks while the rest is published.
        asyncio._set_running_loop(self._loop)  # noqa: SLF001
        try:
            self._send(numbers).send(None)
        except StopIteration:
            return
        finally:
            asyncio._set_running_loop(None)  # noqa: SLF001
        raise RuntimeError("kiq() waited for something: publishing needs a running loop now")

    def start(self) -> None:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    async def _send(self, numbers: Iterable[int]) -> None:
        kiq = self._task.kiq
        for number in numbers:
            await kiq(number, 2)


build = Taskiq

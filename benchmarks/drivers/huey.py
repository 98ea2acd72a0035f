"""huey: MemoryHuey, SqliteHuey and RedisHuey with thread workers, results off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huey import MemoryHuey, RedisHuey, SqliteHuey

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.sqlite import equalise

if TYPE_CHECKING:
    from collections.abc import Iterable


class Huey(Driver):
    """Call the task to publish it; the consumer's defaults but for the worker count."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        if setting.transport == "redis":
            self._huey = RedisHuey(setting.queue, url=setting.address, results=False)
        elif setting.transport == "sqlite":
            equalise()
            self._huey = SqliteHuey(setting.queue, filename=str(setting.folder / "huey.db"), results=False)
        else:
            self._huey = MemoryHuey(setting.queue, results=False)
        self._task = self._huey.task()(setting.task)

    def publish(self, numbers: Iterable[int]) -> None:
        enqueue = self._task
        for number in numbers:
            enqueue(number, 2)

    def start(self) -> None:
        self._consumer = self._huey.create_consumer(workers=self.setting.workers, worker_type="thread")
        self._consumer.start()


build = Huey

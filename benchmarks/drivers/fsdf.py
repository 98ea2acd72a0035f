"""fsdf through its decorator, default settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = {
    "memory": "MEMORY_QUEUE",
    "sqlite": "SQLITE_QUEUE",
    "redis": "REDIS_ACK_ABLE",
    "redis-stream": "REDIS_STREAM",
    "rabbitmq": "RABBITMQ",
    "kafka": "KAFKA_CONFLUENT",
}
ADDRESSES = {
    "redis": "FSDF_REDIS_URL",
    "redis-stream": "FSDF_REDIS_URL",
    "rabbitmq": "FSDF_RABBITMQ_URL",
    "kafka": "FSDF_KAFKA_BOOTSTRAP_SERVERS",
}
DAY = 86_400


class Fsdf(Driver):
    """`push`, `push_many`, `consume`."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        if setting.transport in ADDRESSES:
            os.environ[ADDRESSES[setting.transport]] = setting.address
        if setting.records:
            os.environ["FSDF_RECORDS_URL"] = setting.records
            if setting.transport == "redis":
                os.environ["FSDF_STATE_URL"] = setting.address
        # Imported late: settings are read from the environment.
        from fsdf import BoosterParams, BrokerEnum, ConcurrentModeEnum, boost  # noqa: PLC0415

        self._task = boost(
            BoosterParams(
                queue_name=setting.queue,
                broker_kind=BrokerEnum[KINDS[setting.transport]],
                concurrent_mode=ConcurrentModeEnum[setting.mode],
                concurrent_num=setting.workers,
                # A dead process of an earlier phase must not still be in the group.
                broker_exclusive_config={"group_id": setting.queue} if setting.transport == "kafka" else {},
                is_using_rpc_mode=bool(setting.records),
                function_result_status_persistance_conf=(True, True, DAY) if setting.records else None,
            )
        )(setting.task)

    def publish(self, numbers: Iterable[int]) -> None:
        push = self._task.push
        for number in numbers:
            push(number, 2)

    def publish_bulk(self, count: int) -> None:
        self._task.push_many({"x": number, "y": 2} for number in range(count))

    def start(self) -> None:
        self._task.consume()


build = Fsdf

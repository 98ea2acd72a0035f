"""funboost: MEMORY_QUEUE (a `queue.Queue`, no serialisation), SQLITE_QUEUE (persist-queue) and its servers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.sqlite import equalise

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = {
    "memory": "MEMORY_QUEUE",
    "sqlite": "SQLITE_QUEUE",
    "redis": "REDIS_ACK_ABLE",
    "redis-stream": "REDIS_STREAM",
    "rabbitmq": "RABBITMQ_AMQPSTORM",
    "kafka": "KAFKA_CONFLUENT",
}
DAY = 86_400


class Funboost(Driver):
    """`push`, `consume`."""

    equal_durability = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        _write_config(setting)
        if setting.transport == "sqlite" and self.equal_durability:
            equalise()
        # Imported late: the import reads the configuration.
        from funboost import (  # noqa: PLC0415
            BoosterParams,
            BrokerEnum,
            ConcurrentModeEnum,
            FunctionResultStatusPersistanceConfig,
            boost,
        )

        recorded = bool(setting.records)

        self._task = boost(
            BoosterParams(
                queue_name=setting.queue,
                broker_kind=getattr(BrokerEnum, KINDS[setting.transport]),
                concurrent_mode=getattr(ConcurrentModeEnum, setting.mode),
                concurrent_num=setting.workers,
                log_level=logging.CRITICAL,
                create_logger_file=False,
                broker_exclusive_config={"group_id": setting.queue} if setting.transport == "kafka" else {},
                is_using_rpc_mode=recorded,
                function_result_status_persistance_conf=FunctionResultStatusPersistanceConfig(
                    is_save_status=recorded, is_save_result=recorded, expire_seconds=DAY, is_use_bulk_insert=True
                ),
            )
        )(setting.task)

    def publish(self, numbers: Iterable[int]) -> None:
        push = self._task.push
        for number in numbers:
            push(number, 2)

    def start(self) -> None:
        self._task.consume()


def _write_config(setting: Setting) -> None:
    """Put its configuration on the path before its import would write a template somewhere."""
    values = {"SQLLITE_QUEUES_PATH": str(setting.folder / "queues")} | _addresses(setting)
    if setting.records:
        values["MONGO_CONNECT_URL"] = setting.records
    (setting.folder / "funboost_config.py").write_text(
        "import logging\n"
        "from funboost.funboost_config_deafult import BrokerConnConfig as Broker\n"
        "from funboost.funboost_config_deafult import FunboostCommonConfig as Common\n"
        "class BrokerConnConfig(Broker):\n"
        + "".join(f"    {name} = {value!r}\n" for name, value in values.items())
        + "class FunboostCommonConfig(Common):\n"
        "    FUNBOOST_PROMPT_LOG_LEVEL = logging.CRITICAL\n"
        "    KEEPALIVETIMETHREAD_LOG_LEVEL = logging.CRITICAL\n"
        "    SHOW_HOW_FUNBOOST_CONFIG_SETTINGS = False\n"
    )


def _addresses(setting: Setting) -> dict[str, object]:
    if setting.transport == "kafka":
        return {"KAFKA_BOOTSTRAP_SERVERS": [setting.address]}
    parts = urlsplit(setting.address)
    if setting.transport == "rabbitmq":
        return {
            "RABBITMQ_USER": parts.username,
            "RABBITMQ_PASS": parts.password,
            "RABBITMQ_HOST": parts.hostname,
            "RABBITMQ_PORT": parts.port,
            "RABBITMQ_VIRTUAL_HOST": unquote(parts.path[1:]),
            "RABBITMQ_URL": setting.address,
        }
    if setting.address:
        database = int(parts.path[1:])
        return {
            "REDIS_HOST": parts.hostname,
            "REDIS_PORT": parts.port,
            "REDIS_DB": database,
            "REDIS_DB_FILTER_AND_RPC_RESULT": database,
            "REDIS_URL": setting.address,
        }
    return {}


build = Funboost

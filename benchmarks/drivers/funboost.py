"""funboost: MEMORY_QUEUE (a `queue.Queue`, no serialisation) and SQLITE_QUEUE (persist-queue)."""

from __future__ import annotations

import logging

from benchmarks.drivers.driver import Driver, Setting
from benchmarks.drivers.sqlite import equalise
from benchmarks.drivers.task import task


class Funboost(Driver):
    """`push`, `consume`."""

    equal_durability = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        _write_config(setting)
        if setting.transport == "sqlite" and self.equal_durability:
            equalise()
        # Imported late: the import reads the configuration.
        from funboost import BoosterParams, BrokerEnum, boost  # noqa: PLC0415

        kind = {"memory": BrokerEnum.MEMORY_QUEUE, "sqlite": BrokerEnum.SQLITE_QUEUE}[setting.transport]
        self._task = boost(
            BoosterParams(
                queue_name="bench",
                broker_kind=kind,
                concurrent_num=setting.workers,
                log_level=logging.CRITICAL,
                create_logger_file=False,
            )
        )(task)

    def publish(self, count: int) -> None:
        push = self._task.push
        for number in range(count):
            push(number, 2)

    def start(self) -> None:
        self._task.consume()


def _write_config(setting: Setting) -> None:
    """Put its configuration on the path before its import would write a template somewhere."""
    (setting.folder / "funboost_config.py").write_text(
        "import logging\n"
        "from funboost.funboost_config_deafult import BrokerConnConfig as Broker\n"
        "from funboost.funboost_config_deafult import FunboostCommonConfig as Common\n"
        "class BrokerConnConfig(Broker):\n"
        f"    SQLLITE_QUEUES_PATH = {str(setting.folder / 'queues')!r}\n"
        "class FunboostCommonConfig(Common):\n"
        "    FUNBOOST_PROMPT_LOG_LEVEL = logging.CRITICAL\n"
        "    KEEPALIVETIMETHREAD_LOG_LEVEL = logging.CRITICAL\n"
        "    SHOW_HOW_FUNBOOST_CONFIG_SETTINGS = False\n"
    )


build = Funboost

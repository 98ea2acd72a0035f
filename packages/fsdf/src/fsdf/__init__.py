"""One decorator turns any Python function into a distributed, concurrent, controlled task.

>>> from fsdf import boost, BrokerEnum
>>> @boost("sums", qps=5, broker_kind=BrokerEnum.MEMORY_QUEUE)
... def add(x: int, y: int) -> int:
...     return x + y

`add.push(1, y=2)` puts a message on the queue; `add.consume()` runs it, five a second.
"""

from typing import TYPE_CHECKING

from fsdf_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from fsdf.active_consumers import ActiveConsumerProcessInfoGetter, ActiveCousumerProcessInfoGetter
    from fsdf.aio_result import AioAsyncResult
    from fsdf.booster import Booster
    from fsdf.boosters_manager import BoosterRegistry, BoostersManager
    from fsdf.broker_kind import BrokerEnum
    from fsdf.concurrent_mode import ConcurrentModeEnum
    from fsdf.context import FctContextThread, fct, get_current_taskid
    from fsdf.cross_project import PublisherParams, get_publisher
    from fsdf.ctrl_c import ctrl_c_recv
    from fsdf.custom_broker import register_custom_broker
    from fsdf.decorator import boost, get_consumer, task_deco
    from fsdf.discovery import BoosterDiscovery
    from fsdf.executor import FunboostPool, QueueExecutor
    from fsdf.job_adder import ApsJobAdder, fsdf_background_scheduler, timing_publish_deco
    from fsdf.memory_executor import MemoryExecutor, MemoryFunboostPool
    from fsdf.params import BoosterParams
    from fsdf.params_complete import BoosterParamsComplete
    from fsdf.quiet_queues import wait_for_possible_has_finish_all_tasks_by_conusmer_list
    from fsdf.record_conf import FunctionResultStatusPersistanceConfig
    from fsdf.recorded_result import ResultFromMongo
    from fsdf.remote import RemoteTaskKiller
    from fsdf.result import AsyncResult
    from fsdf.supervision import run_consumer_with_multi_process, run_many_consumer_with_multi_process
    from fsdf.task_options import PriorityConsumingControlConfig, TaskOptions
    from fsdf.web_manager import start_web_manager
    from fsdf_core.errors import (
        ExceptionForPushToDlxqueue,
        ExceptionForRequeue,
        ExceptionForRetry,
        HasNotAsyncResult,
        TaskFailed,
    )
    from fsdf_core.settings import patch_frame_config
    from fsdf_core.task_status import FunctionResultStatus

__version__ = "0.1.0"

__all__ = [
    "ActiveConsumerProcessInfoGetter",
    "ActiveCousumerProcessInfoGetter",
    "AioAsyncResult",
    "ApsJobAdder",
    "AsyncResult",
    "Booster",
    "BoosterDiscovery",
    "BoosterParams",
    "BoosterParamsComplete",
    "BoosterRegistry",
    "BoostersManager",
    "BrokerEnum",
    "ConcurrentModeEnum",
    "ExceptionForPushToDlxqueue",
    "ExceptionForRequeue",
    "ExceptionForRetry",
    "FctContextThread",
    "FunboostPool",
    "FunctionResultStatus",
    "FunctionResultStatusPersistanceConfig",
    "HasNotAsyncResult",
    "MemoryExecutor",
    "MemoryFunboostPool",
    "PriorityConsumingControlConfig",
    "PublisherParams",
    "QueueExecutor",
    "RemoteTaskKiller",
    "ResultFromMongo",
    "TaskFailed",
    "TaskOptions",
    "__version__",
    "boost",
    "ctrl_c_recv",
    "fct",
    "fsdf_background_scheduler",
    "get_consumer",
    "get_current_taskid",
    "get_publisher",
    "patch_frame_config",
    "register_custom_broker",
    "run_consumer_with_multi_process",
    "run_many_consumer_with_multi_process",
    "start_web_manager",
    "task_deco",
    "timing_publish_deco",
    "wait_for_possible_has_finish_all_tasks_by_conusmer_list",
]

# Imported when they are used: pydantic alone takes longer than all the rest.
_HOMES = {
    "FunctionResultStatus": "fsdf_core.task_status",
    "BoosterParamsComplete": "fsdf.params_complete",
    "get_publisher": "fsdf.cross_project",
    "wait_for_possible_has_finish_all_tasks_by_conusmer_list": "fsdf.quiet_queues",
    "ActiveConsumerProcessInfoGetter": "fsdf.active_consumers",
    "ActiveCousumerProcessInfoGetter": "fsdf.active_consumers",
    "AioAsyncResult": "fsdf.aio_result",
    "ApsJobAdder": "fsdf.job_adder",
    "AsyncResult": "fsdf.result",
    "Booster": "fsdf.booster",
    "BoosterDiscovery": "fsdf.discovery",
    "BoosterParams": "fsdf.params",
    "BoosterRegistry": "fsdf.boosters_manager",
    "BoostersManager": "fsdf.boosters_manager",
    "BrokerEnum": "fsdf.broker_kind",
    "ConcurrentModeEnum": "fsdf.concurrent_mode",
    "ExceptionForPushToDlxqueue": "fsdf_core.errors",
    "ExceptionForRequeue": "fsdf_core.errors",
    "ExceptionForRetry": "fsdf_core.errors",
    "FctContextThread": "fsdf.context",
    "FunctionResultStatusPersistanceConfig": "fsdf.record_conf",
    "HasNotAsyncResult": "fsdf_core.errors",
    "PriorityConsumingControlConfig": "fsdf.task_options",
    "PublisherParams": "fsdf.cross_project",
    "RemoteTaskKiller": "fsdf.remote",
    "ResultFromMongo": "fsdf.recorded_result",
    "TaskFailed": "fsdf_core.errors",
    "TaskOptions": "fsdf.task_options",
    "FunboostPool": "fsdf.executor",
    "QueueExecutor": "fsdf.executor",
    "MemoryExecutor": "fsdf.memory_executor",
    "MemoryFunboostPool": "fsdf.memory_executor",
    "boost": "fsdf.decorator",
    "ctrl_c_recv": "fsdf.ctrl_c",
    "fct": "fsdf.context",
    "fsdf_background_scheduler": "fsdf.job_adder",
    "get_consumer": "fsdf.decorator",
    "get_current_taskid": "fsdf.context",
    "patch_frame_config": "fsdf_core.settings",
    "run_consumer_with_multi_process": "fsdf.supervision",
    "run_many_consumer_with_multi_process": "fsdf.supervision",
    "register_custom_broker": "fsdf.custom_broker",
    "start_web_manager": "fsdf.web_manager",
    "task_deco": "fsdf.decorator",
    "timing_publish_deco": "fsdf.job_adder",
}

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__

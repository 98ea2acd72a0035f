"""A preset of parameters that older versions have."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from fsdf.broker_kind import BrokerEnum
from fsdf.params import BoosterParams
from fsdf.record_conf import FunctionResultStatusPersistanceConfig


def _recorded() -> FunctionResultStatusPersistanceConfig:
    return FunctionResultStatusPersistanceConfig(is_save_status=True, is_save_result=True)


class BoosterParamsComplete(BoosterParams):
    """Everything seen: results come back (kept for an hour), tasks are recorded, workers enlist; on RabbitMQ.

    Further differences from `BoosterParams`: `broker_kind` RABBITMQ_AMQPSTORM, `concurrent_num` 500.
    """

    broker_kind: Any = BrokerEnum.RABBITMQ_AMQPSTORM
    concurrent_num: int = Field(default=500, ge=1)
    is_send_consumer_heartbeat_to_redis: bool = True
    is_using_rpc_mode: bool = True
    rpc_result_expire_seconds: float = Field(default=3600, gt=0, allow_inf_nan=False)
    function_result_status_persistance_conf: Any = Field(default_factory=_recorded)

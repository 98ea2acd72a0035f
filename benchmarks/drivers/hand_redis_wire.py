"""By hand, Redis list, with fsdf's own messages: what they carry beside the arguments is decoded, too."""

from __future__ import annotations

import time
import uuid
from typing import Any

import orjson

from benchmarks.drivers.hand_redis import HandRedis


class HandRedisWire(HandRedis):
    """The loop of `hand_redis` over bodies of the form that funboost and fsdf share."""

    def publish_bulk(self, count: int) -> None:
        stamp = {"publish_time": time.time(), "publish_time_format": time.strftime("%Y-%m-%d %H:%M:%S")}
        self._client.rpush(
            self.setting.queue,
            *[
                orjson.dumps({"x": number, "y": 2, "extra": {"task_id": str(uuid.uuid4()), **stamp}})
                for number in range(count)
            ],
        )

    @staticmethod
    def decoded(body: bytes) -> dict[str, Any]:
        call: dict[str, Any] = orjson.loads(body)
        call.pop("extra", None)
        return call


build = HandRedisWire

"""dramatiq with tasks that sleep, in threads or, patched, in green threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.drivers.sleepers import Work


def build(work: Work) -> Callable[[], object]:
    """Publish; return the worker's start."""
    broker = _broker(work)
    dramatiq.set_broker(broker)
    actor = dramatiq.actor(work.task, queue_name=work.queue)
    for seconds in work.sleeps:
        actor.send(seconds)
    return dramatiq.Worker(broker, worker_threads=work.workers).start


def _broker(work: Work) -> dramatiq.Broker:
    if work.transport == "redis":
        from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415 - only where it is measured

        return RedisBroker(url=work.address)
    from dramatiq.brokers.rabbitmq import RabbitmqBroker  # noqa: PLC0415

    return RabbitmqBroker(url=work.address)

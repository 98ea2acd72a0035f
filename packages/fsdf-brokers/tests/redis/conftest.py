"""One broker, queue and client of each test: a module says which `kind` of broker its tests are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

from fsdf_brokers.states.redis import RedisStateStore
from fsdf_core.registry import brokers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsdf_core.broker import Broker, Queue, Subscription


@pytest.fixture
def kind() -> str:
    """The name of the broker."""
    return "REDIS_ACK_ABLE"


@pytest.fixture
def broker(kind: str, redis_url: str) -> Iterator[Broker]:
    broker = brokers.get(kind)(redis_url)
    yield broker
    broker.close()


@pytest.fixture
def queue(broker: Broker) -> Queue:
    return broker.queue("sums")


@pytest.fixture
def subscribe(queue: Queue) -> Iterator[Callable[..., Subscription]]:
    """Subscribes to the test's queue, or to another one; ends with the test."""
    opened: list[Subscription] = []

    def subscribe(consumer: str = "me", of: Queue = queue) -> Subscription:
        opened.append(of.subscribe(consumer, 10))
        return opened[-1]

    yield subscribe
    for subscription in opened:
        subscription.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Another program at the server."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def text_client(redis_url: str) -> Iterator[redis.Redis]:
    """As `client`, but its answers are text."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def opened() -> Iterator[Callable[[str], Any]]:
    """Opens state stores, which are closed after the test."""
    stores: list[RedisStateStore] = []

    def open_store(url: str) -> RedisStateStore:
        stores.append(RedisStateStore(url))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()

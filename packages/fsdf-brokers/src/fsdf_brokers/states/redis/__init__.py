"""State in Redis."""

from fsdf_brokers.states.redis.store import RedisStateStore

__all__ = ["RedisStateStore"]

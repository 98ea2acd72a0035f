"""The state store in MongoDB."""

from fsdf_brokers.states.mongodb.store import MongoStateStore

__all__ = ["MongoStateStore"]

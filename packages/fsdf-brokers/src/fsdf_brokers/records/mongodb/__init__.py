"""Records in MongoDB."""

from fsdf_brokers.records.mongodb.store import MongoRecordStore

__all__ = ["MongoRecordStore"]

"""PERSISTQUEUE: the persist-queue library's SQLite ack queue, made safe for several processes."""

from fsdf_brokers.persistqueue.broker import PersistQueueBroker

__all__ = ["PersistQueueBroker"]

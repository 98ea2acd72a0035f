"""MEMORY_QUEUE: queues inside one process.

Arguments are handed over as they are, any Python object, in a copy one level deep; `serialize=True` makes the
queue behave like a real broker's. Queue and consumers die together, so nothing is durable. A forked child starts
with empty queues: its parent still runs the messages, and they must not run twice.
"""

from fsdf_core.brokers.memory.broker import MemoryBroker
from fsdf_core.brokers.memory.queue import MemoryQueue
from fsdf_core.brokers.memory.subscription import MemorySubscription

__all__ = ["MemoryBroker", "MemoryQueue", "MemorySubscription"]

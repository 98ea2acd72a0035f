"""What every adapter must do, asked of its capabilities.

Subclass both classes in a test module, with a fixture `broker`, and for `ConsumerConformance` a fixture `pool`.
"""

from fsdf_core.testing.conformance.consumer import ConsumerConformance
from fsdf_core.testing.conformance.queue import QueueConformance

__all__ = ["ConsumerConformance", "QueueConformance"]

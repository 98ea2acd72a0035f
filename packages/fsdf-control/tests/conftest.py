"""What tests of single controls share."""

import logging
import threading

import pytest

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.host import Host
from fsdf_pools import SoloExecutor


@pytest.fixture
def host():
    """Builds what a control sees of a consumer; `abandoned` gets the calls that it gives up."""

    def build(abandoned=None):
        return Host(
            queue=MemoryBroker().queue("q"),
            consumer_id="c",
            pool=SoloExecutor(),
            clock=SYSTEM_CLOCK,
            logger=logging.getLogger("fsdf.q"),
            stopping=threading.Event(),
            wake=lambda: None,
            abandon=lambda message, error: abandoned.append((message, error)) if abandoned is not None else None,
        )

    return build

"""The consumer's conformance suite in greenlets; run by `green_run.py`."""

import os

import pytest

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.green.broker import cooperative_broker
from fsdf_core.green.native import patched_by
from fsdf_core.registry import brokers, pools
from fsdf_core.settings import Settings
from fsdf_core.testing.conformance import ConsumerConformance


@pytest.fixture
def pool():
    with pools.get(patched_by())(max_workers=10) as pool:
        yield pool


class TestConsumer(ConsumerConformance):
    @pytest.fixture(params=os.environ["FSDF_GREEN_BROKERS"].split())
    def broker(self, request, tmp_path):
        if request.param == "MEMORY_QUEUE":
            broker = MemoryBroker()
        else:
            kind, _, url = request.param.partition("=")
            settings = Settings(home=tmp_path, **({"sqlalchemy_url": url} if url else {}))
            broker = cooperative_broker(brokers.get(kind).from_settings(settings))
        yield broker
        broker.close()

"""The conformance suite of state stores under monkey patches, on servers; run by `green_run.py`."""

import os

import pytest
from sqlalchemy import MetaData, create_engine

from fsdf_brokers.states.sql.url import parse
from fsdf_core.testing.state_conformance import StateConformance


@pytest.mark.parametrize("store_url", os.environ["FSDF_GREEN_STATES"].split())
class TestStates(StateConformance):
    @pytest.fixture(autouse=True)
    def emptied(self, store_url):
        """Drop what the last test has left."""
        engine = create_engine(parse(store_url))
        tables = MetaData()
        tables.reflect(engine)
        tables.drop_all(engine)
        engine.dispose()

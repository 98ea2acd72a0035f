"""The conformance matrix of state stores, and what their servers' failures do."""

import pytest

from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.testing.state_conformance import StateConformance


class TestMemory(StateConformance):
    @pytest.fixture
    def clock(self):
        return ManualClock()

    @pytest.fixture
    def store(self, clock):
        return MemoryStateStore(clock)

    @pytest.fixture
    def elapse(self, clock):
        return clock.advance


class TestSQLite(StateConformance):
    @pytest.fixture
    def store_url(self, tmp_path):
        return f"sqlite:///{(tmp_path / 'new' / 'state.sqlite').as_posix()}"


class TestPostgreSQL(StateConformance):
    @pytest.fixture
    def store_url(self, postgres_url):
        return postgres_url


class TestMariaDB(StateConformance):
    @pytest.fixture
    def store_url(self, mariadb_url):
        return mariadb_url


class TestRedis(StateConformance):
    @pytest.fixture
    def store_url(self, redis_url):
        return redis_url


class TestMongoDB(StateConformance):
    @pytest.fixture
    def store_url(self, mongodb_url):
        return mongodb_url

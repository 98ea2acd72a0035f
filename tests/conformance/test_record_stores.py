"""The conformance matrix of record stores."""

import pytest

from fsdf_core.testing.record_conformance import RecordConformance


class TestSQLite(RecordConformance):
    @pytest.fixture
    def records_url(self, tmp_path):
        return f"sqlite:///{(tmp_path / 'new' / 'records.sqlite').as_posix()}"


class TestPostgreSQL(RecordConformance):
    @pytest.fixture
    def records_url(self, postgres_url):
        return postgres_url


class TestMariaDB(RecordConformance):
    @pytest.fixture
    def records_url(self, mariadb_url):
        return mariadb_url


class TestMongoDB(RecordConformance):
    @pytest.fixture
    def records_url(self, mongodb_url):
        return mongodb_url

"""A missing server skips a test with one line, and fails it on CI."""

import pytest

from tests.servers.__main__ import main
from tests.servers.fixtures import need


def test_missing_server_skips(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^no redis server: hatch run servers$"):
        need("redis")


def test_missing_server_fails_on_ci(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"^no redis server: hatch run servers$"):
        need("redis")


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_a_package_manager_it_says_how_to_get_them(monkeypatch, tmp_path, capsys, platform):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.platform", platform)
    assert main([]) == 1
    assert capsys.readouterr().out.startswith("redis: missing. ")


def test_redis_answers(redis_server, redis_url):
    assert redis_url == redis_server.url
    assert redis_server.command("DBSIZE") == b":0\r\n"


def test_databases_are_new_and_empty(postgres_server, postgres_url, mariadb_server, mariadb_url):
    assert postgres_server.database() != postgres_url
    assert mariadb_server.database() != mariadb_url

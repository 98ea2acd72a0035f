"""What the Redis state store does when its server fails, and what it says."""

import logging
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.servers.fixtures import need

from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.waiting import wait_until

SECRET = "s3cret"
PATIENCE = 30


def test_a_restarted_redis_is_survived(launch_redis, opened):
    server = launch_redis(aof=True)
    store, other = opened(server.url), opened(server.url)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.set({str(number): b"x", "y": b"y"}, ttl=600), range(40)))
        token = store.acquire("lease", "a", 600)
        assert store.wait("channel", PATIENCE)
        waiting = pool.submit(store.wait, "channel", PATIENCE)
        server.kill()
        for use in (lambda: store.get(["0"]), lambda: store.increment("n"), lambda: store.notify("channel")):
            with pytest.raises(StateUnavailable, match=r"redis://127.*FSDF_STATE_URL"):
                use()
        server.start()
        assert list(pool.map(lambda _: store.get(["0"]), range(40))) == [[b"x"]] * 40
        assert store.add({"0": b"y", "new": b"y"}, ttl=600) == {"new"}
        assert store.acquire("lease", "b", 600) is None
        assert store.acquire("lease", "a", 600) == token
        # What was notified meanwhile is not known.
        assert waiting.result(PATIENCE) is True
        waiting = pool.submit(store.wait, "channel", PATIENCE)
        assert wait_until(lambda: _listens(server), PATIENCE)
        other.notify("channel")
        assert waiting.result(PATIENCE) is True


def test_connections_cut_while_idle_are_replaced(launch_redis, opened):
    server = launch_redis()
    store, other = opened(server.url), opened(server.url)
    assert store.increment("n") == 1
    assert store.wait("channel", PATIENCE)
    server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert store.increment("n") == 2
    server.command("CLIENT", "KILL", "TYPE", "pubsub")
    assert store.wait("channel", PATIENCE)
    assert wait_until(lambda: _listens(server), PATIENCE)
    threading.Timer(0.1, other.notify, ("channel",)).start()
    assert store.wait("channel", PATIENCE)


def test_a_connection_cut_during_an_operation(launch_redis, opened):
    server = launch_redis()
    store = opened(server.url)
    store.get(["connect"])
    with ThreadPoolExecutor(2) as pool:
        server.command("CLIENT", "PAUSE", "600000", "WRITE")
        counted, written = pool.submit(store.increment, "n"), pool.submit(store.set, {"a": b"1"})
        assert wait_until(lambda: server.command("INFO", "clients").count(b"blocked_clients:2") == 1, PATIENCE)
        server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        with pytest.raises(StateUnavailable):
            counted.result(PATIENCE)
        server.command("CLIENT", "UNPAUSE")
        written.result(PATIENCE)
    assert store.get(["a"]) == [b"1"]


def test_scripts_that_the_server_forgot_are_sent_again(launch_redis, opened):
    server = launch_redis()
    store = opened(server.url)
    assert store.add({"a": b"1"}) == {"a"}
    server.command("SCRIPT", "FLUSH")
    assert store.add({"a": b"1", "b": b"1"}) == {"b"}


def test_a_full_redis_says_so_and_can_be_emptied(launch_redis, opened):
    server = launch_redis(options={"maxmemory": "6mb", "maxmemory-policy": "noeviction"})
    store = opened(server.url)

    def fill(ttl):
        for number in range(1000):
            store.set({f"{number}": b"x" * 100_000}, ttl)

    for ttl in (None, 600):
        with pytest.raises(StateError, match="full.*maxmemory"):
            fill(ttl)
        assert store.get(["0"]) == [b"x" * 100_000]
        assert store.delete([str(number) for number in range(1000)]) > 0
    store.set({"a": b"1"})


def test_many_that_find_no_room_are_told_again_for_the_reason(launch_redis, opened):
    server = launch_redis(options={"maxmemory": "6mb", "maxmemory-policy": "noeviction"})
    store = opened(server.url)
    values = {f"fsdf:result:{number}": b"x" * 100_000 for number in range(100)}
    with pytest.raises(StateUnavailable, match="not answer OK"):
        store.tell_soon(values, 60)()
    with pytest.raises(StateError, match="full.*maxmemory"):
        store.tell(values, 60)
    assert store.delete([*values]) > 0
    few = dict.fromkeys(values, b"1")
    store.tell_soon(few, 60)()
    assert store.get([*few]) == [*few.values()]


def test_many_for_a_server_that_does_not_answer(launch_redis, opened):
    server = launch_redis()
    store = opened(f"{server.url}?socket_timeout=0.2")
    values = {f"fsdf:result:{number}": b"1" for number in range(100)}
    server.command("CLIENT", "PAUSE", "600000", "WRITE")
    wait = store.tell_soon(values, 60)
    with pytest.raises(StateUnavailable, match="did not answer in time"):
        wait()
    server.command("CLIENT", "UNPAUSE")
    store.tell_soon(values, 60)()
    assert store.get([*values]) == [*values.values()]


def test_a_redis_that_only_reads(launch_redis, opened):
    server = launch_redis()
    store = opened(server.url)
    store.set({"a": b"1", "b": b"2"}, ttl=60)
    server.command("REPLICAOF", "127.0.0.1", "1")
    for use in (lambda: store.set({"a": b"2"}), lambda: store.add({"a": b"2"}), lambda: store.increment("n")):
        with pytest.raises(StateUnavailable, match="FSDF_STATE_URL"):
            use()
    server.command("REPLICAOF", "NO", "ONE")
    store.set({"a": b"3"})
    assert store.get(["a"]) == [b"3"]


def test_no_redis(opened, caplog):
    caplog.set_level(logging.DEBUG)
    store = opened(f"redis://user:{SECRET}@127.0.0.1:1/0")
    with pytest.raises(StateUnavailable, match=r"user:\*\*\*@127\.0\.0\.1:1/0.*FSDF_STATE_URL") as caught:
        store.get(["a"])
    assert SECRET not in repr(caught.value) + repr(caught.value.__cause__) + caplog.text


def test_a_wait_without_redis_lasts_its_time_and_is_unsure(opened):
    store = opened("redis://127.0.0.1:1/0")
    started = time.monotonic()
    assert store.wait("channel", 0.3) is True
    assert store.wait("channel", 0.3) is True
    assert 0.5 < time.monotonic() - started < PATIENCE


def test_a_wrong_password_of_redis(launch_redis, opened):
    server = launch_redis(options={"requirepass": "right"})
    for url in (server.url, server.url.replace("//", f"//:{SECRET}@"), server.url.replace("//", f"//me:{SECRET}@")):
        with pytest.raises(ConfigurationError, match="Check user, password and rights: FSDF_STATE_URL") as caught:
            opened(url).get(["a"])
        assert SECRET not in repr(caught.value)
    store = opened(server.url.replace("//", "//:right@"))
    store.set({"a": b"1"})
    assert store.get(["a"]) == [b"1"]


@pytest.mark.parametrize(
    "url", ["", f"no url {SECRET}", f"redis://user:{SECRET}@host:port/0", f"http://user:{SECRET}@host"]
)
def test_a_wrong_url_of_redis(url, opened):
    with pytest.raises(ConfigurationError, match="no URL of Redis") as caught:
        opened(url)
    assert SECRET not in str(caught.value)


def test_without_redis_py_it_names_the_cure():
    code = "import sys; sys.modules['redis'] = None; from fsdf_core.registry import states; states.get('redis')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "MissingDependency: " in done.stderr
    assert "'redis': pip install fsdf[redis]" in done.stderr


def test_redis_over_tls(launch_redis, opened, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request, *names], check=True, capture_output=True, timeout=60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    files = {"tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": certificate}
    launch_redis(options={"tls-port": str(port), "tls-auth-clients": "no"} | {k: str(v) for k, v in files.items()})
    store, other = (opened(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}") for _ in range(2))
    store.set({"a": b"x" * 100_000}, ttl=60)
    assert other.get(["a"]) == [b"x" * 100_000]
    names = [f"channel-{number}" for number in range(1000)]
    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(lambda name: store.wait(name, PATIENCE), names))
        waits = [pool.submit(store.wait, name, PATIENCE) for name in names]
        for name in names:
            other.notify(name)
        assert all(wait.result(PATIENCE) for wait in waits)
    with pytest.raises(ConfigurationError, match="certificate is not trusted"):
        opened(f"rediss://127.0.0.1:{port}/0").get(["a"])


def _listens(server):
    return server.command("PUBSUB", "CHANNELS", "*channel") != b"*0\r\n"

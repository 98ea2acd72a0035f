"""What is particular to the Redis state store: its waits, its numbers, its names, its connections."""

import os
import random
import re
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsdf_brokers.states.redis.channels import Channels
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.waiting import wait_until

PATIENCE = 30


@pytest.fixture
def store(redis_url, opened):
    return opened(redis_url)


def test_whoever_looks_and_waits_misses_no_notification(store, redis_url, opened):
    rounds, other, dice = 300, opened(redis_url), random.Random(7)
    turns = [threading.Event() for _ in range(rounds)]

    def tell():
        for number, turn in enumerate(turns):
            assert turn.wait(PATIENCE)
            threading.Event().wait(dice.random() * 0.002)
            other.set({f"key-{number % 50}": b"%d" % number})
            other.notify(f"channel-{number % 50}")

    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(tell)
        for number, turn in enumerate(turns):
            turn.set()
            while store.get([f"key-{number % 50}"]) != [b"%d" % number]:
                assert store.wait(f"channel-{number % 50}", PATIENCE), f"lost in round {number}"
        told.result(PATIENCE)


def test_all_threads_that_wait_are_woken(store, redis_url, opened):
    store.wait("channel", PATIENCE)
    with ThreadPoolExecutor(20) as pool:
        waits = [pool.submit(store.wait, "channel", PATIENCE) for _ in range(20)]
        assert wait_until(lambda: store._channels._channels[_full(store, "channel")].waiting == 20, PATIENCE)
        opened(redis_url).notify("channel")
        assert [wait.result(PATIENCE) for wait in waits] == [True] * 20


def test_subscriptions_end_after_the_last_wait_and_the_thread_with_the_store(store, redis_server):
    store._channels = Channels(linger=0.1)
    for number in range(100):
        assert store.wait(f"channel-{number}", PATIENCE)
    assert wait_until(lambda: redis_server.command("PUBSUB", "CHANNELS", "{fsdf}*") == b"*0\r\n", PATIENCE)
    assert store.wait("channel-1", PATIENCE)
    assert b"name=fsdf-state" in redis_server.command("CLIENT", "LIST")
    thread = store._listener._thread
    store.close()
    assert not thread.is_alive()
    assert wait_until(lambda: b"name=fsdf-state" not in redis_server.command("CLIENT", "LIST"), PATIENCE)


def test_databases_are_apart(store, redis_url, opened):
    other = opened(redis_url.removesuffix("/0") + "/1")
    assert store.wait("channel", PATIENCE)
    other.set({"key": b"value"})
    other.notify("channel")
    assert store.get(["key"]) == [None]
    assert store.wait("channel", 0.3) is False


def test_all_keys_share_a_hash_tag(store, redis_server):
    store.set({"{a}": b"1", "b": b"1"})
    store.hash_set("{c}", {"d": b"1"})
    store.acquire("{e}", "me", 60)
    store.increment("{f}", ttl=60)
    keys = redis_server.command("KEYS", "*").split(b"\r\n")[2::2]
    assert len(keys) == 6
    assert all(key.startswith(b"{fsdf}:state:") for key in keys)


def test_counters_are_exact_to_64_bits(store):
    assert store.increment("n", 2**53 + 1, ttl=60) == 2**53 + 1
    assert store.increment("n", 2, ttl=60) == 2**53 + 3
    assert store.increment("n", 2**63 - 1 - (2**53 + 3)) == 2**63 - 1
    for ttl in (None, 60):
        with pytest.raises(ValueError, match="64 bits"):
            store.increment("n", ttl=ttl)
        with pytest.raises(ValueError, match="64 bits"):
            store.increment("new", 2**70, ttl=ttl)
    assert store.get(["n"]) == [b"%d" % (2**63 - 1)]
    assert store.get(["new"]) == [None]


def test_tokens_grow_though_the_server_lost_its_data(store, redis_server):
    first = store.acquire("lease", "a", 60)
    redis_server.command("FLUSHALL")
    assert store.acquire("lease", "b", 60) > first


@pytest.mark.parametrize("ttl", [1e-9, 10**15, float("inf")])
def test_extreme_lifetimes(store, ttl):
    store.set({"a": b"1", "b": b"1"}, ttl=ttl)
    store.set({"c": b"1"}, ttl=ttl)
    assert store.add({"d": b"1"}, ttl=ttl) == {"d"}
    assert store.acquire("lease", "me", ttl) is not None
    expected = [None] * 4 if ttl < 1 else [b"1"] * 4
    assert wait_until(lambda: store.get(["a", "b", "c", "d"]) == expected, PATIENCE)


def test_more_threads_than_the_client_has_connections(store):
    barrier = threading.Barrier(150)

    def work(number):
        barrier.wait(PATIENCE)
        return store.add({f"{number}": b"", "same": b""})

    with ThreadPoolExecutor(150) as pool:
        added = list(pool.map(work, range(150)))
    assert sorted(key for some in added for key in some) == sorted([*map(str, range(150)), "same"])


def test_too_long_a_name_of_the_redis_store(store):
    store.set({"é" * 256: b""})
    for use in (store.increment, store.notify, lambda name: store.get([name]), lambda name: store.add({name: b""})):
        with pytest.raises(ConfigurationError, match="512 bytes"):
            use("é" * 256 + "x")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_of_the_redis_store_connects_anew(store, redis_url, opened):
    store.set({"a": b"1"})
    assert store.wait("channel", PATIENCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            store.increment("n")
            assert store.wait("of the child", PATIENCE)
            store.notify("channel")
            store.close()
            status = 0
        finally:
            os._exit(status)
    assert store.wait("channel", PATIENCE) is True
    assert os.waitpid(child, 0)[1] == 0
    assert store.increment("n") == 2
    threading.Timer(0.1, opened(redis_url).notify, ("channel",)).start()
    assert store.wait("channel", PATIENCE) is True


def _full(store, channel):
    return store._channel_prefix + channel.encode()


def published(redis_server):
    found = re.search(rb"cmdstat_publish:calls=(\d+)", redis_server.command("INFO", "commandstats"))
    return int(found[1]) if found else 0


def test_what_nobody_waits_for_is_not_published(store, redis_server, redis_url, opened):
    answers = {f"fsdf:result:{number}": b"1" for number in range(10)}
    before = published(redis_server)
    store.tell(answers, 60)
    assert published(redis_server) == before
    waiter = opened(redis_url)
    assert waiter.wait("fsdf:result:7", PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(waiter.wait, "fsdf:result:7", PATIENCE)
        assert wait_until(lambda: waiter._channels._channels[_full(store, "fsdf:result:7")].waiting, PATIENCE)
        store.tell(answers, 60)
        assert waiting.result(PATIENCE)
    assert published(redis_server) == before + 10
    assert waiter.get(list(answers)) == [b"1"] * 10


def test_what_is_of_no_group_is_always_published(store, redis_server):
    before = published(redis_server)
    store.tell({"fsdf:result:1": b"1", "another": b"1"}, 60)
    assert published(redis_server) == before + 2


def test_a_group_is_heard_as_long_as_anybody_waits(store, redis_server, redis_url, opened):
    store._channels = Channels(linger=0.1)
    assert store.wait("fsdf:result:1", PATIENCE)
    teller = opened(redis_url)
    before = published(redis_server)

    def told():
        teller.tell({"fsdf:result:2": b"2"}, 60)
        return published(redis_server) - before

    assert told() == 1
    assert wait_until(lambda: told() == told(), PATIENCE)
    assert redis_server.command("PUBSUB", "CHANNELS", "{fsdf}*") == b"*0\r\n"
    assert store.wait("fsdf:result:3", PATIENCE)
    heard = told()
    assert told() == heard + 1


def test_many_are_told_soon_while_others_are_asked(store):
    first = {f"fsdf:result:{number}": b"1" for number in range(12_000)}
    second = {f"fsdf:result:{number}": b"2" for number in range(6000, 18_000)}
    store.tell({"warm": b""}, 60)  # the server knows the script now
    waits = [store.tell_soon(values, 60) for values in (first, second)]
    store.set({"between": b"3"}, 60)
    for wait in waits:
        wait()
    asked = ["fsdf:result:0", "fsdf:result:5999", "fsdf:result:12000", "fsdf:result:17999", "between"]
    assert store.get(asked) == [b"1", b"1", b"2", b"2", b"3"]
    assert set(store.get([f"fsdf:result:{number}" for number in range(6000, 12_000)])) <= {b"1", b"2"}


def test_a_server_that_does_not_know_the_script_yet_is_told_at_once(store, redis_server):
    redis_server.command("SCRIPT", "FLUSH")
    wait = store.tell_soon({f"fsdf:result:{number}": b"1" for number in range(10)}, 60)
    with pytest.raises(StateError, match="NOSCRIPT|No matching script"):
        wait()
    assert store.get(["fsdf:result:1"]) == [None]
    store.tell({"fsdf:result:1": b"1"}, 60)
    store.tell_soon({"fsdf:result:2": b"2"}, 60)()
    assert store.get(["fsdf:result:1", "fsdf:result:2"]) == [b"1", b"2"]


def test_many_that_nobody_waits_for_need_no_script(store, redis_server):
    redis_server.command("SCRIPT", "FLUSH")
    values = {f"fsdf:result:{number}": b"x" * number for number in range(5000)}
    before = published(redis_server)
    store.tell_soon(values, 60)()
    assert store.get([*values]) == [*values.values()]
    left = redis_server.command("PTTL", "{fsdf}:state:value:fsdf:result:4999")
    assert 50_000 < int(left.strip(b":\r\n")) <= 60_000
    assert published(redis_server) == before


def test_whoever_begins_to_wait_is_woken_for_many_then_by_the_script(store, redis_url, redis_server, opened):
    teller = opened(redis_url)
    values = {f"fsdf:result:{number}": b"1" for number in range(100)}
    with store.watch("fsdf:result:7") as watch:
        assert watch.wait(PATIENCE) == {"fsdf:result:7"}  # the server listens now
        for _ in range(3):
            before = published(redis_server)
            teller.tell({"fsdf:other:1": b""}, 60)  # the server knows the script
            teller.tell_soon(values, 60)()
            assert watch.wait(PATIENCE) == {"fsdf:result:7"}
            assert published(redis_server) - before >= 100


def test_a_connection_that_ends_while_answers_are_on_their_way(store, redis_server):
    store.tell({"fsdf:result:1": b"1"}, 60)
    values = {f"fsdf:result:{number}": bytes(1000) for number in range(5000)}
    redis_server.command("CLIENT", "PAUSE", "200", "WRITE")
    wait = store.tell_soon(values, 60)
    redis_server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(StateUnavailable):
        wait()
    store.tell(values, 60)
    store.tell_soon({"fsdf:result:1": b"2"}, 60)()
    assert store.get(["fsdf:result:1", "fsdf:result:2"]) == [b"2", bytes(1000)]


def test_a_name_that_is_too_long_is_refused_before_it_is_sent(store):
    with pytest.raises(ConfigurationError, match="512 bytes"):
        store.tell_soon({"fsdf:result:1": b"1", "x" * 513: b"2"}, 60)

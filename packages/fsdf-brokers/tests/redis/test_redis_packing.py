"""Commands are packed as redis-py packs them."""

import string

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import PythonRespSerializer

from fsdf_brokers.redis.packing import Packer, pack_sets

ENCODER = redis.connection.Encoder("utf-8", "strict", decode_responses=False)
THEIRS = PythonRespSerializer(6000, ENCODER.encode)
NAMES = st.text(string.ascii_uppercase + " ", min_size=1).filter(str.strip)
WORDS = st.lists(
    st.binary(max_size=50) | st.text(max_size=50) | st.integers() | st.floats() | st.binary(max_size=5).map(memoryview)
)


@given(NAMES | NAMES.map(str.encode), WORDS)
def test_as_redis_py_does(name, words):
    assert b"".join(Packer().pack(name, *words)) == b"".join(THEIRS.pack(name, *words))


@given(
    st.binary(max_size=50),
    st.lists(st.tuples(st.binary(max_size=50), st.binary(max_size=50))),
    st.integers(1, 10**12),
)
def test_sets_are_packed_alike(prefix, pairs, milliseconds):
    lifetime = b"%d" % milliseconds
    packed = pack_sets(prefix, [key for key, _ in pairs], [value for _, value in pairs], lifetime)
    assert packed == b"".join(Packer().pack("SET", prefix + key, value, "PX", lifetime)[0] for key, value in pairs)


@pytest.mark.parametrize("word", [True, None, {}, ["secret"]])
def test_what_is_no_word(word):
    with pytest.raises(redis.DataError, match=f"not {type(word).__name__}$"):
        Packer().pack("SET", b"key", word)


@pytest.mark.parametrize("value", [b"", b"\r\n$3\r\n", "h\u00e9", b"x" * 2_000_000, 7, 0.1])
def test_the_server_understands(redis_server, value):
    with redis.Redis.from_url(redis_server.url, command_packer=Packer()) as client:
        client.execute_command("SET", "key", value)
        encoded = client.get("key")
    assert encoded == ENCODER.encode(value)
    client.close()

"""URLs of Redis: TLS and sockets on real servers, wrong settings, and what is shown of them."""

import subprocess

import pytest
from tests.servers.fixtures import need
from tests.servers.process import free_port

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.address import masked, parse
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable, ConfigurationError


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder with ca.pem, own.pem and own.key; the latter two serve server and client."""
    openssl, folder = need("openssl"), tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    for words in (
        ("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=tests"),
        ("req", *key, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=own"),
        ("x509", "-req", "-in", "own.csr", *authority, "-out", "own.pem", "-days", "2", "-extfile", "names"),
    ):
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture
def secure(launch_redis, certificates):
    """Returns the start of the URL of a server with TLS, and the URL without."""

    def launch(clients="no"):
        port = free_port()
        server = launch_redis(
            options={
                "tls-port": str(port),
                "tls-cert-file": str(certificates / "own.pem"),
                "tls-key-file": str(certificates / "own.key"),
                "tls-ca-cert-file": str(certificates / "ca.pem"),
                "tls-auth-clients": clients,
            }
        )
        return f"rediss://127.0.0.1:{port}/0", server.url

    return launch


def exchange(url):
    """Send and receive one message."""
    broker = RedisAckAbleBroker(url)
    try:
        queue = broker.queue("sums")
        queue.send([OutgoingMessage(b"1")])
        subscription = queue.subscribe("c", 1)
        deliveries = subscription.receive(1, 10)
        subscription.ack(deliveries)
        subscription.close()
        return [delivery.body for delivery in deliveries]
    finally:
        broker.close()


def test_tls_with_an_authority_of_ones_own(secure, certificates):
    url, _ = secure()
    assert exchange(f"{url}?ssl_ca_certs={certificates}/ca.pem") == [b"1"]
    assert exchange(f"{url}?ssl_cert_reqs=none&ssl_check_hostname=false") == [b"1"]


def test_tls_with_a_client_certificate(secure, certificates):
    url = f"{secure('yes')[0]}?ssl_ca_certs={certificates}/ca.pem"
    own = f"ssl_certfile={certificates}/own.pem&ssl_keyfile={certificates}/own.key"
    assert exchange(f"{url}&{own}") == [b"1"]
    with pytest.raises((BrokerUnavailable, ConfigurationError), match="ssl_certfile"):
        exchange(url)


def test_unknown_authority_is_one_clear_error(secure):
    with pytest.raises(ConfigurationError, match="not trusted.*ssl_ca_certs"):
        exchange(secure()[0])


def test_tls_to_a_port_without_is_one_clear_error(secure):
    plain = secure()[1]
    with pytest.raises((BrokerUnavailable, ConfigurationError), match="TLS"):
        exchange(plain.replace("redis://", "rediss://") + "?socket_connect_timeout=0.5")


def test_no_tls_to_a_port_with_it_is_one_clear_error(secure):
    with pytest.raises(BrokerUnavailable, match="rediss://"):
        exchange(secure()[0].replace("rediss://", "redis://"))


def test_unix_socket(launch_redis, tmp_path_factory):
    socket = tmp_path_factory.mktemp("s") / "r"
    launch_redis(options={"unixsocket": str(socket), "requirepass": "right"})
    assert exchange(f"unix://:right@{socket}?db=3") == [b"1"]
    with pytest.raises(ConfigurationError, match="refuses"):
        exchange(f"unix://:wrong-one@{socket}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://h?ssl_ca_certs=/x", "use rediss://"),
        ("rediss://h?ssl_ca_certs=/no/such/ca.pem", "no /no/such/ca.pem, which ssl_ca_certs names"),
        ("redis://h?colour=blue", "does not take: colour"),
        ("redis://h?db=wat", "no URL of Redis"),
        ("redis+sentinel://h1,h2", "names no service"),
        ("redis+sentinel://h1,h2/tasks/wat", "names no service"),
        ("redis+sentinel://h1,,h2/tasks", "no URL of Redis"),
        ("redis+cluster://h1:7000,h2:7001/3", "only database 0"),
        ("redis+cluster://h1:7000;h2:7001", "no URL of Redis"),
    ],
)
def test_bad_url_is_one_clear_error(url, said):
    url = url.replace("://", "://me:secret@")
    with pytest.raises(ConfigurationError, match=said) as caught:
        RedisAckAbleBroker(url)
    assert "secret" not in str(caught.value)


def test_urls_of_groups():
    address = parse("rediss+sentinel://u:p%40@h1:1,[::1],h3/my%20tasks/5?sentinel_password=s&ssl_cert_reqs=none")
    assert address.hosts == (("h1", 1), ("::1", 26379), ("h3", 26379))
    assert address.service == "my tasks"
    assert address.options["username"] == "u"
    assert address.options["password"] == "p@"
    assert address.options["db"] == 5
    assert address.guard == {"username": None, "password": "s", "db": 0}
    assert "p@" not in repr(address)
    assert parse("redis+cluster://h1:7000,h2").hosts == (("h1", 7000), ("h2", 6379))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:p@h1:1,h2:2/tasks/0?sentinel_password=p", "redis://u:***@h1:1,h2:2/tasks/0"),
        ("redis+cluster://:p@h1,h2", "redis+cluster://:***@h1,h2"),
        ("redis://u:1/p@h", "the given URL"),
        ("redis://u:1?p@h", "the given URL"),
        ("redis://u:1#p@h", "the given URL"),
        ("redis://u:p@x@h", "redis://u:***@h"),
        ("p", "the given URL"),
    ],
)
def test_masked_never_shows_a_password(url, shown):
    assert masked(url) == shown

"""Where Kafka is, and as whom to speak to it, as one setting."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from fsdf_core.errors import ConfigurationError

_SCHEMES = {
    "kafka": "PLAINTEXT",
    "plaintext": "PLAINTEXT",
    "ssl": "SSL",
    "sasl_plaintext": "SASL_PLAINTEXT",
    "sasl_ssl": "SASL_SSL",
}


def properties(address: str) -> dict[str, str]:
    """Return the client library's properties for an address.

    Args:
        address: `host:9092,host2:9092`, or a URL such as
            `sasl_ssl://user:password@host:9092,host2:9092?sasl.mechanism=SCRAM-SHA-256&ssl.ca.location=ca.pem`;
            schemes: kafka, ssl, sasl_plaintext, sasl_ssl; the query holds further properties of librdkafka;
            the mechanism is PLAIN by default.

    Raises:
        ConfigurationError: it is neither.
    """
    if "://" not in address:
        if not address.strip() or "@" in address:
            raise ConfigurationError(_hint(address))
        return {"bootstrap.servers": address}
    scheme, _, rest = address.partition("://")
    credentials, _, _ = rest.partition("?")[0].rpartition("@")
    hosts = rest.partition("?")[0].rpartition("@")[2].rstrip("/")
    if scheme.lower() not in _SCHEMES or not hosts:
        raise ConfigurationError(_hint(address))
    found = {"bootstrap.servers": hosts, "security.protocol": _SCHEMES[scheme.lower()]}
    if scheme.lower().startswith("sasl"):
        user, _, password = credentials.partition(":")
        found |= {"sasl.mechanism": "PLAIN", "sasl.username": unquote(user), "sasl.password": unquote(password)}
    elif credentials:
        raise ConfigurationError(f"a user needs the scheme sasl_plaintext or sasl_ssl: {_hint(address)}")
    return found | dict(parse_qsl(urlsplit(address).query))


def shown(known: dict[str, str]) -> str:
    """Return the address without its password."""
    user = known.get("sasl.username")
    return f"{user}:***@{known['bootstrap.servers']}" if user else known["bootstrap.servers"]


def _hint(address: str) -> str:
    place = address.rpartition("@")[2].partition("?")[0]
    return (
        f"{place!r} is no address of Kafka: set FSDF_KAFKA_BOOTSTRAP_SERVERS to host:9092,host2:9092 "
        "or to sasl_ssl://user:password@host:9092"
    )

"""Brokers of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf_core.broker import Broker


def register_custom_broker(kind: str, broker: type[Broker]) -> None:
    """Make a broker class known as `broker_kind=kind` in this process.

    A distribution does the same with an entry point in the group `fsdf.brokers`.

    Args:
        kind: the name; replaces an installed broker of that name.
        broker: a subclass of `fsdf_core.broker.Broker`.

    Raises:
        ConfigurationError: it is none, such as a publisher or consumer class of other frameworks.
    """
    from fsdf_core.broker import Broker as Contract  # noqa: PLC0415 - needed when called only
    from fsdf_core.registry import brokers  # noqa: PLC0415

    given: object = broker
    if not (isinstance(given, type) and issubclass(given, Contract)):
        raise ConfigurationError(f"a custom broker is a subclass of fsdf_core.broker.Broker, this is {broker!r}")
    brokers.register(kind, broker)

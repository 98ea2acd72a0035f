"""Asks Sentinels for the master, as https://redis.io/docs/latest/develop/reference/sentinel-clients/ says."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import redis

from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.redis.address import Address

    Ask = Callable[[tuple[str, int], tuple[Any, ...]], Any]


class SentinelLocator:
    """Finds the master of a service. Thread-safe.

    Args:
        address: of the Sentinels.
        ask: sends one command to the Sentinel at an address, over a connection of its own.
    """

    def __init__(self, address: Address, ask: Ask) -> None:
        self._address = address
        self._ask = ask
        self._hosts = list(address.hosts)
        self._lock = threading.Lock()

    def locate(self) -> tuple[str, int]:
        """Return the master's host and port: what the first Sentinel says that knows it.

        Raises:
            redis.ConnectionError: no Sentinel answers.
            ConfigurationError: they know no such service, or refuse the password.
        """
        unknown, failure = False, ""
        for host in tuple(self._hosts):
            try:
                found = self._ask(host, ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._address.service))
            except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
                raise ConfigurationError(
                    f"the Sentinel at {host[0]}:{host[1]} refuses: {error}. Give its own password in the URL: "
                    "?sentinel_password=… (and sentinel_username=…)"
                ) from None
            except redis.RedisError as error:
                if "unknown command" in str(error):
                    raise ConfigurationError(
                        f"{host[0]}:{host[1]} of {self._address.shown} is no Sentinel: use redis:// for a server"
                    ) from None
                failure = str(error)
                continue
            if found:
                with self._lock:
                    self._hosts.remove(host)
                    self._hosts.insert(0, host)
                return found[0].decode(), int(found[1])
            unknown = True
        if unknown:
            raise ConfigurationError(
                f"the Sentinels of {self._address.shown} know no service {self._address.service!r}: "
                "write the name that `sentinel monitor` has in their configuration"
            )
        raise redis.ConnectionError(f"no Sentinel answers: {failure}")

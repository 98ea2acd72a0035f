"""Finds the node of a cluster that holds a slot."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import redis
from redis.crc import key_slot

from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.redis.address import Address

    Ask = Callable[[tuple[str, int], tuple[Any, ...]], Any]


class Nodes:
    """The nodes of a cluster, as they were last seen. Thread-safe.

    Args:
        address: of some of them.
        ask: sends one command to the node at an address, over a connection of its own.
    """

    def __init__(self, address: Address, ask: Ask) -> None:
        self._address = address
        self._ask = ask
        self._known = list(address.hosts)
        self._lock = threading.Lock()

    def master_of(self, slot: int | None) -> tuple[str, int]:
        """Return host and port of the slot's master; of any master for None.

        Raises:
            redis.ConnectionError: no node answers, or none holds the slot.
            ConfigurationError: they are no cluster.
        """
        failure = "no node knows who holds it"
        for host in tuple(self._known):
            try:
                ranges = self._ask(host, ("CLUSTER", "SLOTS"))
            except redis.AuthenticationError:
                raise
            except redis.ResponseError as error:
                if "cluster support disabled" not in str(error):
                    failure = str(error)
                    continue
                raise ConfigurationError(
                    f"{host[0]}:{host[1]} of {self._address.shown} is no node of a cluster: use redis://"
                ) from None
            except redis.RedisError as error:
                failure = str(error)
                continue
            masters = {(first, last): _place(node, host) for first, last, node, *_ in ranges}
            for (first, last), master in masters.items():
                if slot is None or first <= slot <= last:
                    self._remember(host, masters.values())
                    return master
        with self._lock:
            self._known.append(self._known.pop(0))
        raise redis.ConnectionError(f"slot {slot}: {failure}")

    def _remember(self, answered: tuple[str, int], masters: Any) -> None:
        with self._lock:
            # Another node is asked next: one that is cut off from the others goes on telling what was.
            rest = dict.fromkeys((*masters, *self._address.hosts))
            rest.pop(answered, None)
            self._known = [*rest, answered]


class SlotLocator:
    """Finds the master of one slot.

    Args:
        nodes: whom to ask.
        slot: None is any.
    """

    def __init__(self, nodes: Nodes, slot: int | None) -> None:
        self._nodes = nodes
        self._slot = slot

    def locate(self) -> tuple[str, int]:
        """Return host and port; errors as of `Nodes.master_of`."""
        return self._nodes.master_of(self._slot)


def slot_of(key: str) -> int:
    """Return the slot of a key: CRC16 of its hash tag, or of all of it, modulo 16384."""
    return int(key_slot(key.encode()))


def _place(node: list[Any], asked: tuple[str, int]) -> tuple[str, int]:
    # A node that does not know its own address leaves it out.
    host = node[0].decode() if node[0] else ""
    return (host if host not in {"", "?"} else asked[0]), int(node[1])

"""A cluster of redis-servers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from fsdf_core.waiting import wait_until
from tests.servers.process import free_port
from tests.servers.redis_server import RedisServer

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 16384
_PATIENCE = 30.0


class RedisCluster:
    """Masters without replicas, each with its part of the slots. Call `stop` in the end.

    Args:
        executable: path of redis-server.
        folders: one for each node.
    """

    def __init__(self, executable: str, folders: list[Path]) -> None:
        self.nodes: list[RedisServer] = []
        buses = []
        for folder in folders:
            buses.append(str(free_port()))
            options = {"cluster-enabled": "yes", "cluster-port": buses[-1], "cluster-node-timeout": "1000"}
            self.nodes.append(RedisServer(executable, folder, aof=True, options=options))
        self._buses = buses

    def start(self) -> None:
        """Start and join the nodes; wait until they agree."""
        part = -(-SLOTS // len(self.nodes))
        for number, node in enumerate(self.nodes):
            node.start()
            node.command("CLUSTER", "ADDSLOTSRANGE", str(number * part), str(min((number + 1) * part, SLOTS) - 1))
        for node, bus in zip(self.nodes[1:], self._buses[1:], strict=True):
            self.nodes[0].command("CLUSTER", "MEET", "127.0.0.1", str(node.port), bus)
        if not wait_until(self.complete, _PATIENCE):
            raise RuntimeError(f"the cluster does not form: {self.nodes[0].command('CLUSTER', 'NODES').decode()}")

    @property
    def url(self) -> str:
        """The URL with all nodes."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def holder(self, key: str) -> RedisServer:
        """Return the node that accepts a key; the other ones answer MOVED."""
        return next(node for node in self.nodes if node.command("EXISTS", key).startswith(b":"))

    def move(self, key: str, target: RedisServer) -> None:
        """Move the slot of a key, and all keys in it, to another node."""
        source = self.holder(key)
        slot = source.command("CLUSTER", "KEYSLOT", key)[1:].strip().decode()
        old, new = (_words(node.command("CLUSTER", "MYID"))[0] for node in (source, target))
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", old)
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", new)
        while names := _words(source.command("CLUSTER", "GETKEYSINSLOT", slot, "100")):
            source.command("MIGRATE", "127.0.0.1", str(target.port), "", "0", "5000", "KEYS", *names)
        for node in (target, source, *self.nodes):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", new)

    def complete(self) -> bool:
        """Whether all nodes see all nodes and slots."""
        expected = (b"cluster_state:ok", b"cluster_slots_ok:%d" % SLOTS, b"cluster_known_nodes:%d" % len(self.nodes))
        answers = [node.command("CLUSTER", "INFO") for node in self.nodes]
        return all(line in answer for line in expected for answer in answers)

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.stop()


def _words(answer: bytes) -> list[str]:
    """Return the bulk strings of a raw answer."""
    lines = answer.decode().split("\r\n")
    return [text for head, text in itertools.pairwise(lines) if head.startswith("$")]

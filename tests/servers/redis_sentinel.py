"""A redis-server as Sentinel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers.redis_server import RedisServer

if TYPE_CHECKING:
    from pathlib import Path


class RedisSentinel(RedisServer):
    """Watches one master, under the name `tasks`; two Sentinels decide on its successor.

    Args:
        executable: path of redis-server.
        folder: where it keeps its configuration.
        master: port of the master.
        password: the Sentinel's own; Sentinels of a group share it.
        master_password: of the master and its replicas.
    """

    def __init__(self, executable: str, folder: Path, master: int, password: str, master_password: str) -> None:
        settings = folder / "sentinel.conf"
        lines = [
            "bind 127.0.0.1",
            f"sentinel monitor tasks 127.0.0.1 {master} 2",
            "sentinel down-after-milliseconds tasks 500",
            # Sentinel looks once a second whether a replica has become the master.
            "sentinel failover-timeout tasks 3000",
            f"sentinel auth-pass tasks {master_password}",
            f"sentinel sentinel-pass {password}",
            f"requirepass {password}",
        ]
        settings.write_text("\n".join(lines) + "\n")
        super().__init__(executable, folder)
        self._command = lambda port: [executable, str(settings), "--sentinel", "--port", str(port)]

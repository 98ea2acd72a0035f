"""A RabbitMQ node for tests: its files, its ports and its port mapper are its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import uuid
from pathlib import Path

from tests.servers.own_user import own_folder, own_user
from tests.servers.process import ServerProcess, free_port

_TIMEOUT = 60
_PROTOCOL = b"AMQP\x00\x00\x09\x01"
_WRAPPED = Path("/usr/lib/rabbitmq/bin")
"""Where Debian keeps the programs whose wrappers insist on the system's own folders."""


class RabbitMQServer(ServerProcess):
    """A node on 127.0.0.1 with the user guest, password guest; `remove()` it in the end.

    Durable messages survive `stop()` and `start()`. Only the virtual host / exists: choose unused queue names.

    Args:
        executable: path of `rabbitmq-server`.
        options: further lines of rabbitmq.conf, such as {"vm_memory_high_watermark.absolute": "100MB"}.
    """

    def __init__(self, executable: str, options: dict[str, str] | None = None) -> None:
        self._programs = _WRAPPED if (_WRAPPED / "rabbitmq-server").exists() else Path(executable).resolve().parent
        self._as = own_user("rabbitmq")
        self.folder = own_folder("rabbitmq", self._as)
        self._write("rabbitmq.conf", _configuration(options or {}))
        self._write("plugins", "[].\n")
        self._write("env.conf", "")
        self._mapper = ServerProcess(
            lambda port: ["epmd", "-port", str(port), "-address", "127.0.0.1"], _listens, self.folder, user=self._as
        )
        self._distribution_port = free_port()
        self._node = f"fsdf-{uuid.uuid4().hex[:8]}@localhost"
        super().__init__(
            lambda port: [
                *self._environment(),
                "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
                f"RABBITMQ_NODE_PORT={port}",
                str(self._programs / "rabbitmq-server"),
            ],
            _answers,
            self.folder,
            user=self._as,
        )

    @property
    def url(self) -> str:
        """The URL of the virtual host /."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def start(self) -> None:
        """Start it and wait until it answers."""
        if not self._mapper.port:
            self._mapper.start()
        super().start()

    def control(self, *words: str) -> str:
        """Run `rabbitmqctl`, which takes a second or two; return what it prints."""
        command = [*self._environment(), str(self._programs / "rabbitmqctl"), "--quiet", *words]
        done = subprocess.run(
            command, user=self._as, cwd=self.folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.stop()
        self._mapper.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> list[str]:
        folder = str(self.folder)
        variables = {
            "HOME": folder,  # of the cookie
            "ERL_EPMD_PORT": str(self._mapper.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/env.conf",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            # No busy waiting: the node shares the machine with the tests.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }
        return ["env", *(f"{name}={value}" for name, value in variables.items())]

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        if self._as is not None:
            shutil.chown(path, self._as)


def _configuration(options: dict[str, str]) -> str:
    lines = {"loopback_users": "none", "disk_free_limit.absolute": "1MB", "log.console.level": "warning", **options}
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def _listens(port: int) -> bool:
    socket.create_connection(("127.0.0.1", port), timeout=2).close()
    return True


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(_PROTOCOL)
        return connection.recv(1) == b"\x01"

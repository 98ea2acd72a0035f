"""A Kafka server for tests (KRaft, one node): from Maven Central, since no package manager has it.

What it accepted survives `kill()`, but no power cut. The jars are kept in a user's cache folder.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from tests.servers.process import ServerProcess, free_port

VERSION = "3.9.1"
PROGRAM = "kafka-server"
USER, PASSWORD = "alice", "alice-secret"

_INSTALL_TIMEOUT = 600
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>fsdf</groupId><artifactId>test-servers</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"""
_SCRIPT = """#!/bin/sh
exec java -Xms96m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(dirname "$0")/jars/*" "$@"
"""


def home() -> Path:
    """Return the folder of the installed server, in FSDF_SERVERS_CACHE (default: ~/.cache/fsdf-servers)."""
    cache = os.environ.get("FSDF_SERVERS_CACHE")
    return (Path(cache) if cache else Path.home() / ".cache" / "fsdf-servers") / f"kafka-{VERSION}"


def install() -> None:
    """Resolve the jars with Maven, and prepare an empty formatted log folder that servers start from.

    Raises:
        subprocess.CalledProcessError: Maven or Java failed.
    """
    target = home()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        new = Path(scratch) / "kafka"
        new.mkdir()
        (new / "pom.xml").write_text(_POM)
        copy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
        _run(["mvn", "-q", "-B", copy, f"-DoutputDirectory={new / 'jars'}"], new)
        script = new / PROGRAM
        script.write_text(_SCRIPT)
        script.chmod(0o755)
        settings = new / "format.properties"
        settings.write_text(_text(_settings(new / "formatted", 9092, 9093, 9094)))
        _run(
            [str(script), "kafka.tools.StorageTool", "format", "-t", "ZnNkZi10ZXN0LWthZmthAA", "-c", str(settings)], new
        )
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)


class KafkaServer(ServerProcess):
    """A server on 127.0.0.1 that creates no topics by itself and lets sessions be short.

    Args:
        executable: path of `kafka-server`.
        folder: where it runs and keeps its files.
        options: further server.properties, such as {"message.max.bytes": "1000"}.
    """

    def __init__(self, executable: str, folder: Path, options: dict[str, str] | None = None) -> None:
        shutil.copytree(Path(executable).parent / "formatted", folder / "log")
        self._controller_port = free_port()
        self._sasl_port = free_port()
        self._options = options or {}
        self._folder = folder
        self._executable = executable
        super().__init__(self._command_line, _answers, folder)

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.port}"

    @property
    def sasl_bootstrap(self) -> str:
        """Where clients connect that say who they are: `USER` with `PASSWORD`, mechanism PLAIN."""
        return f"127.0.0.1:{self._sasl_port}"

    def _command_line(self, port: int) -> list[str]:
        settings = _settings(self._folder / "log", port, self._controller_port, self._sasl_port)
        path = self._folder / "server.properties"
        path.write_text(_text(settings | self._options))
        return [self._executable, "kafka.Kafka", str(path)]


def _settings(log: Path, port: int, controller_port: int, sasl_port: int) -> dict[str, str]:
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
    clients = f"PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl_port}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{clients},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": clients,
        "listener.security.protocol.map": ("CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT"),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": f'{plain} required user_{USER}="{PASSWORD}";',
        "log.dirs": str(log),
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "100",
        "log.cleaner.dedupe.buffer.size": "4194304",
        "num.recovery.threads.per.data.dir": "2",
    }


def _text(settings: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _run(words: list[str], folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, timeout=_INSTALL_TIMEOUT, check=False)
    done.check_returncode()


def _answers(port: int) -> bool:
    """Ask for the server's versions: it answers when it is ready for requests."""
    request = struct.pack("!hhih", 18, 0, 1, -1)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(struct.pack("!i", len(request)) + request)
        return bool(connection.recv(8))

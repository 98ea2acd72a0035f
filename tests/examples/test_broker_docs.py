"""Every broker has a section in the documentation, with its queue options and a program that runs on its server."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fsdf.broker_kind import BrokerEnum
from fsdf_core import registry
from tests.examples.doc_blocks import Program, programs
from tests.examples.script import Example
from tests.servers.kafka_server import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.kafka_server import KafkaServer

PAGE = Path(__file__).parents[2] / "docs" / "brokers.md"
PROGRAMS = programs(PAGE)[0]
TEST = "test_the_program_of_a_broker"
SERVERS = {
    "KAFKA_CONFLUENT_SASL": ("FSDF_KAFKA_BOOTSTRAP_SERVERS", "kafka_server", lambda server: with_password(server)),
    "KAFKA": ("FSDF_KAFKA_BOOTSTRAP_SERVERS", "kafka_server", lambda server: server.bootstrap),
    "MONGOMQ": ("FSDF_MONGO_URL", "mongodb_server", lambda server: server.database()),
    "POSTGRES": ("FSDF_POSTGRES_URL", "postgres_server", lambda server: server.database()),
    "RABBITMQ": ("FSDF_RABBITMQ_URL", "rabbitmq_server", lambda server: server.url),
    "REDIS": ("FSDF_REDIS_URL", "redis_server", lambda server: server.url),
}
"""By the beginning of a kind: its setting, the fixture of its server, what is made of that."""


def with_password(server: KafkaServer) -> str:
    return f"sasl_plaintext://{USER}:{PASSWORD}@{server.sasl_bootstrap}"


def sections() -> dict[str, str]:
    """Return the text of each kind's section, with what its family says before the first kind."""
    found = {}
    for family in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE):
        said, *parts = re.split(r"^### ", family, flags=re.MULTILINE)
        found.update({part.partition("\n")[0].strip(): said + part for part in parts})
    return found


def kind_of(program: Program) -> str:
    kind = re.search(r"BrokerEnum\.(\w+),?", program.source)
    assert kind, program.source
    return kind[1]


def run(program: Program, folder: Path, settings: dict[str, str]) -> None:
    """Run a program until all is printed that the page says; what works one after the other, in that order."""
    example = Example(folder, program.source, (), settings)
    try:
        example.until([rf"(?m)^{re.escape(line)}$" for line in program.prints], seconds=60)
        assert example.terminate() == 0, example.output
        if "single_thread" in program.source:
            places = [example.output.index(line) for line in program.prints]
            assert places == sorted(places), example.output
    finally:
        example.close()


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Runs a few programs at a time, because they mostly wait."""
    with ThreadPoolExecutor(max_workers=3) as threads:
        yield threads
        threads.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pool: ThreadPoolExecutor
) -> Callable[[Program], Future[None]]:
    """Starts the programs of a server with the first one of them that is asked for."""
    started: dict[str | None, dict[Program, Future[None]]] = {}

    def family_of(program: Program) -> str | None:
        return next((family for family in SERVERS if kind_of(program).startswith(family)), None)

    def start(wanted: Program) -> Future[None]:
        family = family_of(wanted)
        if family not in started:
            settings = {}
            if family is not None:
                setting, fixture, address = SERVERS[family]
                settings[setting] = address(request.getfixturevalue(fixture))
            chosen = [item.callspec.params["program"] for item in request.session.items if item.originalname == TEST]
            started[family] = {
                program: pool.submit(run, program, tmp_path_factory.mktemp("program"), settings)
                for program in chosen
                if family_of(program) == family
            }
        return started[family][wanted]

    return start


@pytest.mark.parametrize("program", PROGRAMS, ids=kind_of)
def test_the_program_of_a_broker(running: Callable[[Program], Future[None]], program: Program) -> None:
    running(program).result()


def test_every_installed_broker_has_a_section_and_a_program() -> None:
    installed = {point for point in registry.brokers.names() if point in BrokerEnum.__members__}
    assert len(installed) > 20
    assert installed <= sections().keys()
    assert installed == {kind_of(program) for program in PROGRAMS}


@pytest.mark.parametrize("kind", sorted(sections().keys() & BrokerEnum.__members__.keys()))
def test_a_section_names_the_queue_options(kind: str) -> None:
    options = getattr(registry.brokers.get(kind), "queue_options", frozenset())
    text = sections()[kind]
    named = set(re.findall(r"`([\w-]+)`", text))
    # RabbitMQ's own arguments are many: the page tells that they are taken.
    wanted = {name for name in options if not name.startswith("x-")} | (options & {"x-max-priority", "x-queue-type"})
    assert wanted <= named
    if not options:
        assert re.search(r"\*\*Queue options\*\*: none", text), kind

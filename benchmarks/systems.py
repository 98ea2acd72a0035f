"""What is measured: the systems, their pinned requirements and what to know about their figures."""

from __future__ import annotations

from dataclasses import dataclass

MEMORY = "memory"
SQLITE = "sqlite"
TRANSPORTS = (MEMORY, SQLITE)


@dataclass(frozen=True, slots=True)
class System:
    """One row a transport.

    Attributes:
        name: for `--only`.
        driver: module in `benchmarks/drivers`.
        transports: what it can do, each with the label of its row.
        requirements: pinned, for its own environment; empty: the environment that runs the benchmark.
        notes: by transport, where its promises or its measurement differ from fsdf's.
    """

    name: str
    driver: str
    transports: dict[str, str]
    requirements: tuple[str, ...] = ()
    notes: dict[str, str] | None = None


SYSTEMS = (
    System("fsdf", "fsdf", {MEMORY: "fsdf MEMORY_QUEUE", SQLITE: "fsdf SQLITE_QUEUE"}),
    System(
        "hand-queue",
        "hand_queue",
        {MEMORY: "by hand (queue.Queue)"},
        notes={MEMORY: "encodes and decodes JSON; nothing that could come back after a failure"},
    ),
    System(
        "hand",
        "hand_deque",
        {MEMORY: "by hand (deque, batches)"},
        notes={MEMORY: "the limit: pops and acknowledges 100 at a time; encodes and decodes JSON"},
    ),
    System(
        "hand",
        "hand_sqlite",
        {SQLITE: "by hand (sqlite3, batches)"},
        notes={SQLITE: "the limit: one thread claims and deletes 1000 a transaction, the workers run them"},
    ),
    System(
        "funboost",
        "funboost",
        {MEMORY: "funboost MEMORY_QUEUE", SQLITE: "funboost SQLITE_QUEUE"},
        ("funboost==55.0",),
        {
            MEMORY: "log level CRITICAL (its default, DEBUG, is far slower); no call for a batch",
            SQLITE: "persist-queue; acks after the run; run here with synchronous=NORMAL instead of FULL",
        },
    ),
    System(
        "funboost",
        "funboost_full",
        {SQLITE: "funboost SQLITE_QUEUE as installed"},
        ("funboost==55.0",),
        {SQLITE: "synchronous=FULL: a commit also survives a power cut, which fsdf does not promise"},
    ),
    System(
        "celery",
        "celery",
        {MEMORY: "celery memory://", SQLITE: "celery sqla+sqlite"},
        ("celery[sqlalchemy]==5.7.0",),
        {
            MEMORY: "threads pool, acks late, results off, prefetch unlimited; group() publishes one by one",
            SQLITE: (
                "as memory; the row is marked invisible when it is fetched and is never put back after"
                " kill -9, so acks late does not help: weaker than fsdf; run with WAL and NORMAL"
            ),
        },
    ),
    System(
        "huey",
        "huey",
        {MEMORY: "huey MemoryHuey", SQLITE: "huey SqliteHuey"},
        ("huey==3.5.4",),
        {
            MEMORY: "results off; pickles",
            SQLITE: (
                "deletes the row before the run, so a crash loses it: weaker than fsdf, and one transaction"
                " fewer; results off; pickles; run with synchronous=NORMAL instead of FULL"
            ),
        },
    ),
    System(
        "dramatiq",
        "dramatiq",
        {MEMORY: "dramatiq StubBroker"},
        ("dramatiq==2.2.1",),
        {MEMORY: "its broker for tests; acks after the run; default middleware; JSON"},
    ),
    System(
        "taskiq",
        "taskiq",
        {MEMORY: "taskiq InMemoryBroker"},
        ("taskiq==0.13.0",),
        {
            MEMORY: (
                "its broker for tests: sending makes an asyncio task of the same loop, there is no worker;"
                " the function runs in its thread pool; the result cannot be switched off"
            )
        },
    ),
)


def choose(names: list[str], transports: list[str]) -> list[tuple[System, str]]:
    """Return the pairs to measure; empty lists mean all.

    Raises:
        ValueError: there is no such system.
    """
    known = {system.name for system in SYSTEMS}
    if unknown := set(names) - known:
        raise ValueError(f"unknown system {', '.join(sorted(unknown))}: choose from {', '.join(sorted(known))}")
    return [
        (system, transport)
        for transport in transports or TRANSPORTS
        for system in SYSTEMS
        if transport in system.transports and (not names or system.name in names)
    ]

"""Who works: what every consumer tells about itself into a state store, and who reads it.

A worker is one consumer, of one queue, in one process. What never changes stands in its field of the hash
`fsdf:workers`; what changes in a key of its own that the store forgets after `ALIVE` seconds. A worker without that
key is dead, by the store's own clock, so that a single look tells the living. Queues stay known, in the hash
`fsdf:queues`, when their workers are gone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from fsdf_core import orders
from fsdf_core.errors import UnknownName
from fsdf_core.orders import Pace
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf_core.state import StateStore

WORKERS = "fsdf:workers"
QUEUES = "fsdf:queues"
ALIVE = 10.0
"""Seconds without a word after which a worker counts as dead."""

T = TypeVar("T")


@dataclass(frozen=True)
class Worker:
    """One consumer of one queue.

    Attributes:
        consumer_id: unique among living and dead.
        queue: the queue's name.
        broker_kind: the broker's name, such as "REDIS_ACK_ABLE".
        broker_options: the queue's own options, without secrets.
        function: "module.name" of the task.
        host: the machine's name.
        ip: its address, as far as it knows.
        pid: the process id.
        process: the process's name.
        script: what was started, such as "/srv/app/worker.py".
        version: of Python and fsdf.
        started: seconds since the epoch.
        mode: the `concurrent_mode`.
        group: the `booster_group`, or "".
        concurrency: calls at once.
        qps: starts a second; 0 is no limit.
        running: calls that run.
        succeeded: tasks since the start.
        failed: tasks that failed for good since the start, dead letters among them.
        per_second: tasks done a second, over the last 10 s.
        memory: resident bytes of the process; None where they cannot be read.
        beat: how often it has told this.
        seen: when it did so last, by its own clock, in seconds since the epoch.
    """

    consumer_id: str
    queue: str
    broker_kind: str = ""
    broker_options: Mapping[str, Any] = field(default_factory=dict)
    function: str = ""
    host: str = ""
    ip: str = ""
    pid: int = 0
    process: str = ""
    script: str = ""
    version: str = ""
    started: float = 0.0
    mode: str = ""
    group: str = ""
    concurrency: int = 0
    qps: float = 0.0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    per_second: float = 0.0
    memory: int | None = None
    beat: int = 0
    seen: float = 0.0


@dataclass(frozen=True)
class KnownQueue:
    """A queue that some worker has consumed.

    Attributes:
        name: its name.
        broker_kind: the broker's name.
        broker_options: the queue's own options, without secrets.
        function: "module.name" of the task.
        parameters: of the function, in order: dicts with `name`, `required`, and maybe `default` (JSON data),
            `annotation` (text) and `variadic` ("args" or "kwargs").
        params: the task's `BoosterParams` that were set and are JSON data.
        group: the `booster_group`, or "".
        seen: when a worker began to consume it last, in seconds since the epoch.
    """

    name: str
    broker_kind: str = ""
    broker_options: Mapping[str, Any] = field(default_factory=dict)
    function: str = ""
    parameters: Sequence[Mapping[str, Any]] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    seen: float = 0.0


@dataclass(frozen=True)
class Orders:
    """What a worker has to obey.

    Attributes:
        pace: how fast it shall be.
        end: it shall stop.
    """

    pace: Pace = field(default_factory=Pace)
    end: bool = False


class Roster:
    """The workers and queues that a state store knows. Thread-safe.

    Args:
        store: where they tell about themselves.

    Example:
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> roster = Roster(MemoryStateStore())
        >>> roster.enlist(Worker("c1", "sums", host="alpha"), KnownQueue("sums"))
        >>> [(worker.queue, worker.host) for worker in roster.workers()]
        [('sums', 'alpha')]
        >>> roster.set_pace("sums", qps=5)
        >>> roster.report(Worker("c1", "sums", host="alpha", running=3)).pace.qps
        5.0
        >>> roster.strike_off("c1")
        >>> roster.workers(), [queue.name for queue in roster.queues()]
        ([], ['sums'])
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def workers(self, queue_name: str | None = None) -> list[Worker]:
        """Return the living workers, of one queue if it is given, by queue, host and process id.

        Forgets the dead ones. Raises StateError if the store cannot be reached.
        """
        enlisted = self._store.hash_get(WORKERS)
        ids = list(enlisted)
        words = self._store.get([_word_key(worker_id) for worker_id in ids]) if ids else []
        dead = [worker_id for worker_id, word in zip(ids, words, strict=True) if word is None]
        if dead:
            # One that only slept enlists again when it wakes.
            self._store.hash_delete(WORKERS, dead)
        found = [
            _built(Worker, {**_read(enlisted[worker_id]), **_read(word), "consumer_id": worker_id})
            for worker_id, word in zip(ids, words, strict=True)
            if word is not None
        ]
        living = [worker for worker in found if queue_name in {None, worker.queue}]
        return sorted(living, key=lambda worker: (worker.queue, worker.host, worker.pid, worker.consumer_id))

    def by_queue(self) -> dict[str, list[Worker]]:
        """Return the living workers of each queue."""
        grouped: dict[str, list[Worker]] = {}
        for worker in self.workers():
            grouped.setdefault(worker.queue, []).append(worker)
        return grouped

    def by_host(self) -> dict[str, list[Worker]]:
        """Return the living workers of each host."""
        grouped: dict[str, list[Worker]] = {}
        for worker in sorted(self.workers(), key=lambda worker: (worker.host, worker.pid)):
            grouped.setdefault(worker.host, []).append(worker)
        return grouped

    def worker(self, consumer_id: str) -> Worker:
        """Return a living worker.

        Raises:
            UnknownName: none has the id; suggests the nearest.
            StateError: the store cannot be reached.
        """
        workers = {worker.consumer_id: worker for worker in self.workers()}
        if consumer_id not in workers:
            raise UnknownName(f"no living worker {consumer_id!r}.{did_you_mean(consumer_id, workers)}")
        return workers[consumer_id]

    def queues(self) -> list[KnownQueue]:
        """Return the queues that workers have consumed, by name."""
        known = self._store.hash_get(QUEUES)
        return [_built(KnownQueue, {**_read(known[name]), "name": name}) for name in sorted(known)]

    def forget_queue(self, queue_name: str) -> None:
        """Know a queue no more, until a worker begins to consume it."""
        self._store.hash_delete(QUEUES, [queue_name])

    def shut_down(self, consumer_id: str) -> None:
        """Let one worker drain and stop; it begins within 2 s.

        Its process ends if nothing else keeps it: no other consumer, no main program.

        Raises:
            UnknownName: no living worker has the id; suggests the nearest.
            StateError: the store cannot be reached.
        """
        orders.order_end(self._store, self.worker(consumer_id).consumer_id)

    def set_pace(self, queue_name: str, *, qps: float | None = None, concurrency: int | None = None) -> None:
        """Change the pace of a queue's workers: see `fsdf_core.orders.set_pace`."""
        orders.set_pace(self._store, queue_name, qps=qps, concurrency=concurrency)

    def reset_pace(self, queue_name: str) -> None:
        """Let the queue's workers be as fast as their code says."""
        orders.reset_pace(self._store, queue_name)

    def pace(self, queue_name: str) -> Pace:
        """Return the pace that is ordered for a queue."""
        return orders.pace_of(self._store, queue_name)

    def enlist(self, worker: Worker, queue: KnownQueue) -> None:
        """Begin: the worker's side, once at its start."""
        self._store.hash_set(QUEUES, {queue.name: orjson.dumps(asdict(queue))})
        self._tell(worker)

    def report(self, worker: Worker) -> Orders:
        """Tell the numbers and return the orders; enlists again one that was taken for dead."""
        own, end, *pace = self._store.get(
            [_word_key(worker.consumer_id), orders.end_key(worker.consumer_id), *orders.pace_keys(worker.queue)]
        )
        if own is None:
            self._tell(worker)
        else:
            self._store.set({_word_key(worker.consumer_id): _word(worker)}, ALIVE)
        return Orders(orders.read_pace(pace), end is not None)

    def strike_off(self, consumer_id: str) -> None:
        """End: the worker's side, at its stop."""
        self._store.hash_delete(WORKERS, [consumer_id])
        self._store.delete([_word_key(consumer_id), orders.end_key(consumer_id)])

    def _tell(self, worker: Worker) -> None:
        # The key first: who finds the field alone would take the worker for dead.
        self._store.set({_word_key(worker.consumer_id): _word(worker)}, ALIVE)
        facts = {name: value for name, value in asdict(worker).items() if name not in _CHANGING}
        self._store.hash_set(WORKERS, {worker.consumer_id: orjson.dumps(facts)})


_CHANGING = ("concurrency", "qps", "running", "succeeded", "failed", "per_second", "memory", "beat", "seen")


def _word_key(consumer_id: str) -> str:
    return f"fsdf:worker:{consumer_id}"


def _word(worker: Worker) -> bytes:
    return orjson.dumps({name: getattr(worker, name) for name in _CHANGING})


def _read(value: bytes) -> dict[str, Any]:
    """Read what another version may have written."""
    try:
        facts = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _built(kind: type[T], facts: dict[str, Any]) -> T:
    """Build from the facts that this version knows."""
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    facts.setdefault("queue", "")
    return kind(**{name: value for name, value in facts.items() if name in names})

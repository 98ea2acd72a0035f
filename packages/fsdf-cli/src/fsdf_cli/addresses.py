"""How queues are named on the command line, and how they are opened without importing their functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fsdf_cli.mistakes import expect
from fsdf_cli.targets import facade, load
from fsdf_core.errors import ConfigurationError, UnknownName, UnsupportedFeature
from fsdf_core.registry import brokers, default_state_file, open_state
from fsdf_core.roster import KnownQueue, Roster
from fsdf_core.settings import get_settings
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf.booster import Booster
    from fsdf_core.broker import Queue
    from fsdf_core.state import StateStore

QUEUE_HELP = "The queue's name, or BROKER:QUEUE, such as REDIS_STREAM:sums."
DEAD = "_dlx"
_stand_ins: dict[tuple[str, str], Booster[Any, Any]] = {}


@dataclass(frozen=True)
class Address:
    """A queue that a user has named.

    Attributes:
        known: what is known of it.
        booster: its function, or one that only publishes.
        imported: whether the booster is the user's own.
    """

    known: KnownQueue
    booster: Booster[Any, Any]
    imported: bool

    @property
    def queue(self) -> Queue:
        """The queue, opened.

        Raises:
            UnsupportedFeature: it lives in another process.
        """
        queue = self.booster.publisher.queue()
        if not queue.broker.capabilities.cross_process:
            raise UnsupportedFeature(
                f"{self.known.name} lives in the memory of its worker's process, where no command reaches it: "
                "choose a broker_kind that processes share, such as SQLITE_QUEUE"
            )
        return queue

    def require_reachable(self) -> None:
        """Raise as `queue` does."""
        _ = self.queue


def queue_names(incomplete: str) -> list[str]:
    """Return the known queues whose names begin so, for the shell's completion: quickly, silently, making no file."""
    try:
        settings = get_settings()
        if settings.state_url is None and not default_state_file(settings).exists():
            return []
        return [queue.name for queue in roster().queues() if queue.name.startswith(incomplete)]
    except Exception:  # noqa: BLE001 - whatever it is, the next command says it
        return []


def state() -> StateStore:
    """Return the state store of the settings; its default file is made if need be, and workers then enlist."""
    store = open_state(get_settings())
    expect(store.retryable_errors)
    return store


def roster() -> Roster:
    """Return the roster of workers."""
    return Roster(state())


def find(name: str, modules: Sequence[str] | None = None, *, strict: bool = True) -> Address:
    """Return the queue that a user has named.

    Looked for among the functions that are imported, then among the queues that workers have consumed; a broker that
    is named goes before what they say.

    Args:
        name: "queue" or "BROKER:queue".
        modules: what to import.
        strict: refuse a name that nobody knows, unless it names its broker.

    Raises:
        UnknownName: nobody knows it; suggests the nearest.
        ConfigurationError: a module cannot be imported, or the broker cannot be had.
    """
    kind, queue_name = split(name)
    boosters = {booster.queue_name: booster for booster in load(modules or ())}
    if queue_name in boosters and kind in {None, _kind_of(boosters[queue_name])}:
        booster = boosters[queue_name]
        expect(brokers.get(_kind_of(booster)).retryable_errors)
        return Address(described(booster), booster, imported=True)
    known = {queue.name: queue for queue in roster().queues()}
    origin = known.get(queue_name.removesuffix(DEAD))
    found = known.get(queue_name) or (replace(origin, name=queue_name) if origin else None)
    if found is None and kind is None and strict:
        names = [*boosters, *known]
        raise UnknownName(
            f"no worker has consumed a queue {queue_name!r}, and no imported module has it."
            f"{did_you_mean(queue_name, names)} Import its module with -i, or name its broker: "
            f"{get_settings().broker}:{queue_name}"
        )
    if found is None or kind not in {None, found.broker_kind}:
        found = KnownQueue(queue_name, kind or _default_kind())
    return Address(found, publishing_only(found), imported=False)


def split(name: str) -> tuple[str | None, str]:
    """Return the broker's kind, if it is named, and the queue's name, which may have colons of its own."""
    head, colon, rest = name.partition(":")
    if colon and rest:
        kind = _resolved(head)
        if kind is not None:
            return kind, rest
    if not name:
        raise ConfigurationError("a queue has a name")
    return None, name


def described(booster: Booster[Any, Any]) -> KnownQueue:
    """Return what is known of a function's queue."""
    from fsdf.description import known_queue  # noqa: PLC0415 - only if the user has tasks

    return known_queue(booster.boost_params, _kind_of(booster))


def publishing_only(known: KnownQueue) -> Booster[Any, Any]:
    """Return a booster for a queue whose function this process does not know."""
    kind = known.broker_kind or _default_kind()
    expect(brokers.get(kind).retryable_errors)
    if (known.name, kind) not in _stand_ins:
        params = facade().BoosterParams(
            queue_name=known.name,
            broker_kind=kind,
            broker_exclusive_config=dict(known.broker_options),
            should_check_publish_func_params=False,
            booster_registry_name=f"command line {kind}",
        )
        _stand_ins[known.name, kind] = params(_unknown_function)
    return _stand_ins[known.name, kind]


def _unknown_function(**arguments: Any) -> None:
    raise UnsupportedFeature(f"this process only publishes such tasks: {arguments}")


def _kind_of(booster: Booster[Any, Any]) -> str:
    return booster.boost_params.broker_kind or _default_kind()


def _default_kind() -> str:
    return _resolved(get_settings().broker) or get_settings().broker


def _resolved(name: str) -> str | None:
    """Return the broker of a name; None if there is none."""
    from fsdf.broker_kind import resolve_broker_kind  # noqa: PLC0415 - only if a broker is needed

    try:
        kind = resolve_broker_kind(name)
    except UnknownName:
        return None
    return kind if kind in brokers.names() else None

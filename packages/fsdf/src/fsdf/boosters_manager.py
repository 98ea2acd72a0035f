"""All decorated functions of the process, by queue."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from fsdf.ctrl_c import ctrl_c_recv
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from fsdf.booster import Booster
    from fsdf.params import BoosterParams
    from fsdf.publisher import BoosterPublisher
    from fsdf.result import AsyncResult

_logger = logging.getLogger("fsdf")


DEFAULT_REGISTRY = "booster_registry_default"
_registries: dict[str, BoosterRegistry] = {}
_registries_lock = threading.Lock()


class BoosterRegistry:
    """Boosters by queue name. A queue has one function: the one decorated last.

    The same name gives the same registry, in the whole process.

    Args:
        name: what `BoosterParams.booster_registry_name` says; default "booster_registry_default".
    """

    name: str
    _boosters: dict[str, Booster[Any, Any]]
    _lock: threading.Lock
    _creating: threading.Lock

    def __new__(cls, name: str = DEFAULT_REGISTRY) -> Self:
        """Return the registry of that name."""
        with _registries_lock:
            found = _registries.get(name)
            if not isinstance(found, cls):
                found = super().__new__(cls)
                found.name = name
                found._boosters = {}
                found._lock = threading.Lock()
                found._creating = threading.Lock()
                _registries[name] = found
            return found

    def regist_booster(self, booster: Booster[Any, Any]) -> None:
        """Remember a booster; warns if the queue was another function's."""
        with self._lock:
            previous = self._boosters.get(booster.queue_name)
            self._boosters[booster.queue_name] = booster
        if previous is not None and _title(previous) != _title(booster):
            _logger.warning(
                "queue %r is used by %s and by %s: each would run the other's messages",
                booster.queue_name, _title(previous), _title(booster),
            )  # fmt: skip

    def get_all_queues(self) -> list[str]:
        """Return the names of all queues, in the order of decoration."""
        return list(self._boosters)

    def get_all_boosters(self) -> list[Booster[Any, Any]]:
        """Return all boosters, in the order of decoration."""
        return list(self._boosters.values())

    def get_booster(self, queue_name: str) -> Booster[Any, Any]:
        """Return the queue's booster.

        Raises:
            UnknownName: no function of that queue was decorated in this process; suggests the nearest.
        """
        booster = self._boosters.get(queue_name)
        if booster is None:
            raise UnknownName(
                f"no function of queue {queue_name!r} is decorated in this process: import its module first."
                f"{did_you_mean(queue_name, self._boosters)}"
            )
        return booster

    def get_or_create(
        self, params: BoosterParams | str, consuming_function: Callable[..., Any] | None = None
    ) -> Booster[Any, Any]:
        """Return the queue's booster; decorate a function if there is none yet. Of many threads one decorates.

        Args:
            params: the parameters, or only the queue's name. They count only if the booster does not exist yet.
            consuming_function: the function; default: `params.consuming_function`.

        Raises:
            UnknownName: there is no booster, and no function is given.
            ConfigurationError: the booster to create would be another registry's.
        """
        from fsdf.params import BoosterParams  # noqa: PLC0415 - it needs this module

        if isinstance(params, str):
            params = BoosterParams(queue_name=params, booster_registry_name=self.name)
        function = consuming_function or params.consuming_function
        with self._creating:
            if function is None or params.queue_name in self._boosters:
                return self.get_booster(params.queue_name)
            if params.booster_registry_name != self.name:
                raise ConfigurationError(
                    f"the parameters name the registry {params.booster_registry_name!r}, not this one: give "
                    f"booster_registry_name={self.name!r}"
                )
            return params(function)

    get_or_create_booster_by_queue_name = get_or_create

    def get_boost_params(self, queue_name: str) -> BoosterParams:
        """Return the parameters of the queue's booster."""
        return self.get_booster(queue_name).boost_params

    def get_all_queue_name__boost_params_unstrict_dict(self) -> dict[str, dict[str, Any]]:
        """Return all parameters by queue as data for JSON; functions and other objects as text."""
        return {
            name: {key: _plain_data(value) for key, value in booster.boost_params}
            for name, booster in list(self._boosters.items())
        }

    def show_all_boosters(self) -> None:
        """Log each queue with its function and broker, at INFO on the logger "fsdf"."""
        for name, booster in list(self._boosters.items()):
            broker = booster.boost_params.broker_kind or "the default broker"
            _logger.info("queue %r (%s): %s", name, broker, _title(booster))

    def build_booster(self, params: BoosterParams) -> Booster[Any, Any]:
        """Decorate `params.consuming_function`.

        Raises:
            ConfigurationError: it is None.
        """
        return params(params.consuming_function)  # type: ignore[arg-type]

    def get_cross_project_publisher(self, params: BoosterParams) -> BoosterPublisher[..., Any]:
        """Return what publishes to a queue whose function is another project's: see `cross_project_publisher`."""
        from fsdf.cross_project import cross_project_publisher  # noqa: PLC0415 - it needs this module

        return cross_project_publisher(params)

    def push(self, queue_name: str, *args: Any, **kwargs: Any) -> AsyncResult[Any]:
        """Publish a call of the queue's function."""
        return self.get_booster(queue_name).push(*args, **kwargs)

    def publish(self, queue_name: str, msg: dict[str, Any] | str) -> AsyncResult[Any]:
        """Publish a message of the queue's function."""
        return self.get_booster(queue_name).publish(msg)

    def consume(self, *queue_names: str, block: bool = True) -> None:
        """Consume these queues, and wait for Ctrl-C or SIGTERM unless `block` is False.

        Raises:
            UnknownName: no function of such a queue was decorated; nothing is consumed then.
        """
        self._consume([self.get_booster(name) for name in queue_names], block=block)

    consume_queues = consume

    def consume_all(self, block: bool = True) -> None:  # noqa: FBT001, FBT002 - the known signature
        """Consume all queues, and wait for Ctrl-C or SIGTERM unless `block` is False."""
        self._consume(self.get_all_boosters(), block=block)

    consume_all_queues = consume_all

    def consume_group(self, booster_group: str, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as above
        """Consume the queues whose `booster_group` this is; wait for Ctrl-C or SIGTERM if `block` is True.

        Raises:
            UnknownName: there is none; suggests the nearest.
        """
        self._consume(self._group(booster_group), block=block)

    def mp_consume(self, *, block: bool = True, **process_numbers: int) -> None:
        """Consume queues in worker processes: `mp_consume(sums=2, mails=4)`; wait for the end unless `block` is False.

        Raises:
            UnknownName: no function of such a queue was decorated; nothing is consumed then.
        """
        self._mp_consume([([self.get_booster(name)], name, number) for name, number in process_numbers.items()], block)

    def mp_consume_all(self, process_num: int = 1, *, block: bool = True) -> None:
        """Consume each queue in `process_num` worker processes of its own; wait for the end unless `block` is False."""
        boosters = self.get_all_boosters()
        self._mp_consume([([booster], booster.queue_name, process_num) for booster in boosters], block)

    def mp_consume_group(self, booster_group: str, process_num: int = 1, *, block: bool = True) -> None:
        """Consume a group's queues, all in each of `process_num` worker processes; wait unless `block` is False.

        Raises:
            UnknownName: there is no such group; suggests the nearest.
        """
        self._mp_consume([(self._group(booster_group), booster_group, process_num)], block)

    @staticmethod
    def _mp_consume(groups: list[tuple[list[Booster[Any, Any]], str, int]], block: bool) -> None:  # noqa: FBT001
        from fsdf.supervision import supervise  # noqa: PLC0415 - it is seldom needed

        for boosters, name, number in groups:
            supervise(boosters, number, name=name)
        if block:
            ctrl_c_recv()

    def _group(self, booster_group: str) -> list[Booster[Any, Any]]:
        boosters = self.get_all_boosters()
        group = [booster for booster in boosters if booster.boost_params.booster_group == booster_group]
        if not group:
            known = {booster.boost_params.booster_group or "" for booster in boosters}
            raise UnknownName(f"no task has the booster_group {booster_group!r}.{did_you_mean(booster_group, known)}")
        return group

    @staticmethod
    def _consume(boosters: list[Booster[Any, Any]], *, block: bool) -> None:
        for booster in boosters:
            booster.consume()
        if block:
            ctrl_c_recv()


BoostersManager = BoosterRegistry()
"""The registry of functions that name no other."""


def boosters_of(queue_name: str) -> list[Booster[Any, Any]]:
    """Return the boosters of a queue in all registries of the process."""
    with _registries_lock:
        registries = list(_registries.values())
    return [booster for each in registries if (booster := each._boosters.get(queue_name)) is not None]  # noqa: SLF001 - ours


def _title(booster: Booster[Any, Any]) -> str:
    # A script that is imported again carries another module name, yet is the same function.
    code = getattr(booster.consuming_function, "__code__", None)
    where = code.co_filename if code else booster.__module__
    return f"{booster.__qualname__} ({where})"


def _plain_data(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain_data(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_data(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)

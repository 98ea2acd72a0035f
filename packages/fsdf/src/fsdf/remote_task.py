"""A task's function for pools that run it in another process."""

from __future__ import annotations

import functools
import pickle
from typing import TYPE_CHECKING, Any

from fsdf.boosters_manager import BoosterRegistry
from fsdf.executor_calls import Caller
from fsdf.supervision.origin import origin_of
from fsdf.supervision.role import role
from fsdf_core.settings import patch_frame_config, patched

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.params import BoosterParams


class RemoteTask:
    """A task's address. Unpickled in another process, it is what runs the task there.

    Args:
        params: the task's parameters.

    Raises:
        ConfigurationError: no other process can import the task.
    """

    def __init__(self, params: BoosterParams) -> None:
        booster = BoosterRegistry(params.booster_registry_name).get_booster(params.queue_name)
        self.__qualname__ = booster.__qualname__
        function = booster.consuming_function
        origin = function if isinstance(function, Caller) else origin_of(booster)
        self._address = pickle.dumps((origin, patched()))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bytes]]:
        return find_callee, (self._address,)

    def __call__(self, /, *args: Any, **arguments: Any) -> Any:
        """Nobody calls it here."""
        raise NotImplementedError


@functools.cache
def find_callee(address: bytes) -> Callable[..., Any]:
    """Return what runs a task in this process, with the settings of the one that consumes.

    Args:
        address: the pickled origin, and what `patch_frame_config` has set there.

    Raises:
        ConfigurationError: importing its module does not decorate it.
    """
    origin, settings = pickle.loads(address)  # noqa: S301 - from our own consumer
    patch_frame_config(**settings)
    callee: Callable[..., Any] = origin if isinstance(origin, Caller) else origin.find().consumer.callee()
    role.lent = True
    return callee

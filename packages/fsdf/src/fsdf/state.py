"""Where a task's consumers and producers keep what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core import registry
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from fsdf_core.broker import Queue
    from fsdf_core.state import StateStore


def state_of(queue: Queue) -> StateStore:
    """Return the state store for a queue: the setting `state_url`, by default a SQLite file.

    A queue that no other process can see has its state in this process too, unless `state_url` is set.

    Raises:
        UnknownName: no store is installed for the URL's scheme.
        MissingDependency: the store's client library is not installed.
    """
    settings = get_settings()
    if settings.state_url is None and not queue.broker.capabilities.cross_process:
        return registry.states.get("memory").from_url("memory://", settings)
    return registry.open_state(settings)


def existing_state_of(queue: Queue) -> StateStore | None:
    """Return the state store, or None if nothing can be in it: its default file does not exist yet.

    Opening it needs a library whose import takes longer than all the rest.
    """
    settings = get_settings()
    default_file = settings.state_url is None and queue.broker.capabilities.cross_process
    if default_file and not registry.default_state_file(settings).exists():
        return None
    return state_of(queue)

"""A state store whose driver waits in C, under monkey patches."""

from __future__ import annotations

from fsdf_core.green.wrapper import Wrapper
from fsdf_core.state import StateStore
from fsdf_core.watch import Watch

_store: Wrapper[StateStore] = Wrapper(StateStore, opens={"watch": Wrapper(Watch)})


def cooperative_state(store: StateStore) -> StateStore:
    """Return the store, in a wrapper if it would freeze all greenlets of a process that is monkey-patched."""
    return _store.cooperative(store)

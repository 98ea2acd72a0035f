"""A record store whose driver waits in C, under monkey patches."""

from __future__ import annotations

from fsdf_core.green.wrapper import Wrapper
from fsdf_core.records import RecordStore

_store: Wrapper[RecordStore] = Wrapper(RecordStore)


def cooperative_records(store: RecordStore) -> RecordStore:
    """Return the store, in a wrapper if it would freeze all greenlets of a process that is monkey-patched."""
    return _store.cooperative(store)

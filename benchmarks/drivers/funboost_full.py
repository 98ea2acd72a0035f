"""funboost with the SQLite settings it is installed with: `synchronous=FULL`, which waits for the disk."""

from __future__ import annotations

from benchmarks.drivers.funboost import Funboost


class FunboostFull(Funboost):
    """As installed."""

    equal_durability = False


build = FunboostFull

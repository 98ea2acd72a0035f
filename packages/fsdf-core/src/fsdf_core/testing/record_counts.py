"""What every record store must do with counts; part of `RecordConformance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fsdf_core.errors import ConfigurationError
from fsdf_core.records import Count

if TYPE_CHECKING:
    from fsdf_core.records import RecordStore

_DAY = 86_400
_NOW = 1_800_000_000 // _DAY * _DAY
"""Begin of a day."""


class RecordCounts:
    """Counts: added, rolled up, forgotten."""

    def test_counts_add_up(self, store: RecordStore) -> None:
        store.save([], [Count("q", _NOW, 1, 2, 3, 4, 5, 6, 0.5, 7), Count("q", _NOW, 1, backlog=3)])
        store.save([], [Count("q", _NOW, 1, 1, 1, 1, 1, 1, 0.25)])
        expected = Count("q", _NOW, 3, 3, 4, 5, 6, 7, 0.75, 7)
        for step in (1, 60, 3600, _DAY):
            assert store.counts("q", _NOW, _NOW + 1, step) == [expected]

    def test_steps(self, store: RecordStore) -> None:
        seconds = [0, 1, 59, 60, 61, 3599, 3600, _DAY - 1, _DAY]
        store.save([], [Count("q", _NOW + second, successes=1) for second in seconds])
        assert self.starts(store, 1) == dict.fromkeys(seconds, 1)
        assert self.starts(store, 60) == {0: 3, 60: 2, 3540: 1, 3600: 1, _DAY - 60: 1, _DAY: 1}
        assert self.starts(store, 120) == {0: 5, 3480: 1, 3600: 1, _DAY - 120: 1, _DAY: 1}
        assert self.starts(store, 3600) == {0: 6, 3600: 1, _DAY - 3600: 1, _DAY: 1}
        assert self.starts(store, _DAY) == {0: 8, _DAY: 1}

    @staticmethod
    def starts(store: RecordStore, step: int) -> dict[int, int]:
        found = store.counts("q", _NOW, _NOW + 2 * _DAY, step)
        return {count.second - _NOW: count.successes for count in found}

    def test_a_range_is_of_whole_steps(self, store: RecordStore) -> None:
        store.save([], [Count("q", _NOW + second, successes=1) for second in range(0, 300, 10)])
        found = store.counts("q", _NOW + 1, _NOW + 121, 60)
        assert [(count.second - _NOW, count.successes) for count in found] == [(60, 6), (120, 6)]

    def test_queues_apart(self, store: RecordStore) -> None:
        store.save([], [Count("b", _NOW, 1), Count("a", _NOW + 1, 2), Count("a ", _NOW, failures=3, backlog=0)])
        assert store.queues() == ["a", "a ", "b"]
        assert store.counts(None, _NOW, _NOW + 60, 60) == [
            Count("a", _NOW, 2),
            Count("a ", _NOW, failures=3, backlog=0),
            Count("b", _NOW, 1),
        ]
        assert store.counts("a", _NOW, _NOW + 60, 60) == [Count("a", _NOW, 2)]

    @pytest.mark.parametrize("step", [0, -60])
    def test_a_step_is_positive(self, store: RecordStore, step: int) -> None:
        with pytest.raises(ConfigurationError):
            store.counts("q", 0, 10, step)

    def test_seconds_are_forgotten_before_days(self, store: RecordStore) -> None:
        store.save([], [Count("q", _NOW, 1)])
        store.prune(_NOW + 3 * 3600)
        assert store.counts("q", _NOW, _NOW + 60, 1) == []
        assert store.counts("q", _NOW, _NOW + 60, 60) == [Count("q", _NOW, 1)]
        store.prune(_NOW + 100 * _DAY)
        assert store.counts("q", _NOW, _NOW + 3600, 3600) == []
        assert store.counts("q", _NOW, _NOW + _DAY, _DAY) == [Count("q", _NOW, 1)]

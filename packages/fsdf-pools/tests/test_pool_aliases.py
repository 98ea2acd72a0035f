from __future__ import annotations

import pytest

from fsdf_pools import (
    BoundedThreadPoolExecutor,
    FlexibleThreadPool,
    ShrinkableThreadPoolExecutor,
    ThreadPoolExecutorShrinkAble,
)


@pytest.mark.parametrize(
    ("alias", "least", "keep_alive"),
    [(BoundedThreadPoolExecutor, 0, 10), (ThreadPoolExecutorShrinkAble, 1, 10), (FlexibleThreadPool, 0, 5)],
)
def test_a_known_name_is_the_pool_with_known_defaults(alias, least, keep_alive):
    assert issubclass(alias, ShrinkableThreadPoolExecutor)
    with alias(3) as pool:
        assert list(pool.map(abs, range(-40, 0))) == list(range(40, 0, -1))
        assert (pool.max_workers, pool.min_workers) == (3, least)
        assert pool._crew.keep_alive == keep_alive
        assert pool._crew.room._size == 10
    assert alias(3, queue_size=0)._crew.room is None
    assert alias().max_workers == 50

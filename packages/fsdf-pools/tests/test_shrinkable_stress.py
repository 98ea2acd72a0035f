from __future__ import annotations

import random
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fsdf_pools import PoolClosedError, ShrinkableThreadPoolExecutor


class Producer:
    """Adds calls of random length in random ways until told to stop."""

    def __init__(self, pool, seed, ran):
        self.pool, self.rng, self.ran = pool, random.Random(seed), ran
        self.added = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.produce, daemon=True)
        self.thread.start()

    def call(self, nap=0.0):
        if nap:
            time.sleep(nap)
        self.ran.append(1)

    def add(self, nap):
        way = self.rng.randrange(4)
        if way == 0:
            count = self.rng.randrange(1, 6)
            self.pool.execute_many(lambda: self.call(nap), count)
            self.added += count
            return
        add = self.pool.submit if way == 1 else self.pool.execute
        add(self.call, nap)
        self.added += 1

    def produce(self):
        while not self.stop.is_set():
            self.add(self.rng.choice([0, 0, 0, 0.0005, 0.003]))
            if self.rng.random() < 0.2 or self.pool.queued > 200:
                time.sleep(self.rng.random() * 0.01)
            if self.rng.random() < 0.02:
                self.pool.resize(self.rng.randrange(1, 30))


@pytest.mark.parametrize("queue_size", [0, 5])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_run_twice(until, queue_size, seed):
    ran = []
    pool = ShrinkableThreadPoolExecutor(
        20, keep_alive=0.003 * seed, min_workers=seed, queue_size=queue_size, thread_name_prefix="stress"
    )
    producers = [Producer(pool, f"{seed}-{index}", ran) for index in range(6)]
    time.sleep(0.8)
    for producer in producers:
        producer.stop.set()
    for producer in producers:
        producer.thread.join(10)
        assert not producer.thread.is_alive()
    added = sum(producer.added for producer in producers)
    # Without any further call: whatever waits must be run by the workers that there are.
    until(lambda: len(ran) >= added, timeout=10)
    assert pool.close(10)
    assert len(ran) == added
    assert pool.workers == pool.queued == 0


def test_one_call_at_a_time_is_never_forgotten(make_pool):
    pool = make_pool(2, keep_alive=0.0005)
    rng = random.Random(1)
    for _ in range(1500):
        assert pool.submit(int).result(5) == 0
        if rng.random() < 0.2:
            time.sleep(rng.random() * 0.001)


def test_shutdown_in_the_middle_of_submits_strands_nothing():
    for _ in range(30):
        pool = ShrinkableThreadPoolExecutor(4, keep_alive=0.001)
        futures, ready = [], threading.Barrier(3)

        def produce(pool=pool, futures=futures, ready=ready):
            ready.wait(5)
            try:
                while True:
                    futures.append(pool.submit(int))
            except PoolClosedError:
                return

        producers = [threading.Thread(target=produce, daemon=True) for _ in range(2)]
        for thread in producers:
            thread.start()
        ready.wait(5)
        time.sleep(0.002)
        pool.shutdown()
        for thread in producers:
            thread.join(5)
        assert all(future.result(5) == 0 for future in futures)
        assert pool.close(5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([0, 0, 0, 0.0002, 0.001, 0.005]), max_size=60),
    st.integers(1, 12),
    st.sampled_from([0, 0.001, 1.0]),
    st.integers(0, 3),
)
def test_any_mix_of_lengths_is_run_completely(naps, max_workers, keep_alive, queue_size):
    ran = []
    pool = ShrinkableThreadPoolExecutor(max_workers, keep_alive=keep_alive, queue_size=queue_size)
    for index, nap in enumerate(naps):
        pool.execute(lambda index=index, nap=nap: (nap and time.sleep(nap), ran.append(index)))
    assert pool.close(10)
    assert sorted(ran) == list(range(len(naps)))


class PoolMachine(RuleBasedStateMachine):
    """Whatever is done to a pool: what it accepted runs once, and blocked calls use all the room."""

    def __init__(self):
        super().__init__()
        self.pool = ShrinkableThreadPoolExecutor(3, keep_alive=0.002)
        self.expected = 0
        self.ran = []
        self.gates = []

    def wait_until(self, condition):
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, (self.pool.workers, self.pool.idle, self.pool.queued)
            time.sleep(0.0005)

    @rule(count=st.integers(0, 30))
    def add_quick(self, count):
        self.pool.execute_many(lambda: self.ran.append(1), count)
        self.expected += count

    @rule()
    def submit(self):
        self.pool.submit(self.ran.append, 1)
        self.expected += 1

    @rule(count=st.integers(1, 4))
    def add_blocking(self, count):
        gate = threading.Event()
        self.gates.append(gate)
        self.pool.execute_many(lambda: (gate.wait(30), self.ran.append(1)), count)
        self.expected += count

    @precondition(lambda self: self.gates)
    @rule(data=st.data())
    def open_gate(self, data):
        self.gates.pop(data.draw(st.integers(0, len(self.gates) - 1))).set()

    @rule(size=st.integers(1, 8))
    def resize(self, size):
        self.pool.resize(size)

    @rule()
    def let_time_pass(self):
        time.sleep(0.003)

    @rule()
    def work_waits_only_while_all_workers_are_busy(self):
        self.wait_until(lambda: not self.pool.queued or self.pool.busy >= self.pool.max_workers)

    @invariant()
    def never_more_runs_than_adds(self):
        assert len(self.ran) <= self.expected

    def teardown(self):
        for gate in self.gates:
            gate.set()
        self.wait_until(lambda: len(self.ran) == self.expected)
        self.wait_until(lambda: self.pool.workers <= self.pool.max_workers)
        self.wait_until(lambda: self.pool.workers == 0)
        assert self.pool.close(5)


PoolMachine.TestCase.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestPoolMachine = PoolMachine.TestCase

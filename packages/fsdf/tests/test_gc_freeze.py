"""What a worker has loaded is no garbage."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import gc, sys
if "before" in sys.argv:
    gc.freeze()
from fsdf import boost

@boost("frozen", broker_kind="MEMORY_QUEUE")
def task(x): ...

before = gc.get_freeze_count()
task.consume()
first = gc.get_freeze_count()
kept = [[] for _ in range(10_000)]
task.stop()
task.consume()
task.stop()
print(before, first, gc.get_freeze_count())
"""


@pytest.fixture
def counts(tmp_path):
    """Runs the program; returns the frozen objects before, after the first and after the second consume()."""

    def run(*words, **settings):
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words], env={**os.environ, "FSDF_HOME": str(tmp_path), **settings},
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return [int(word) for word in ended.stdout.split()]

    return run


def test_the_first_consume_freezes_what_there_is(counts):
    before, first, second = counts()
    assert before == 0
    assert first > 10_000
    assert second <= first


def test_the_setting_forbids_it(counts):
    assert counts(FSDF_GC_FREEZE="0") == [0, 0, 0]


def test_a_program_that_has_frozen_is_left_alone(counts):
    before, first, second = counts("before")
    assert 0 < first <= before
    assert second <= first

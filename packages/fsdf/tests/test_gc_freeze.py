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
if "never" in sys.argv:
    gc.set_threshold(0)
if "rarely" in sys.argv:
    gc.set_threshold(50_000, 20, 30)
usual = gc.get_threshold()
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
print(before, first, gc.get_freeze_count(), usual == gc.get_threshold(), *gc.get_threshold())
"""


@pytest.fixture
def counts(tmp_path):
    """Runs the program; returns the frozen objects before, after the first and after the second consume().

    And whether the thresholds are what they were, and what they are.
    """

    def run(*words, **settings):
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words], env={**os.environ, "FSDF_HOME": str(tmp_path), **settings},
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return [int(word) for word in ended.stdout.split()[:3]], ended.stdout.split()[3:]

    return run


def test_the_first_consume_freezes_what_there_is(counts):
    (before, first, second), (same, young, *_) = counts()
    assert before == 0
    assert first > 10_000
    assert second <= first
    assert (same, young) == ("False", "50000")


@pytest.mark.parametrize(("word", "young"), [("never", "0"), ("rarely", "50000")])
def test_a_collector_that_looks_even_less_often_is_left_alone(counts, word, young):
    _, (same, threshold, *_) = counts(word)
    assert (same, threshold) == ("True", young)


def test_the_setting_forbids_it(counts):
    frozen, (same, *_) = counts(FSDF_GC_FREEZE="0")
    assert frozen == [0, 0, 0]
    assert same == "True"


def test_a_program_that_has_frozen_is_left_alone(counts):
    (before, first, second), (same, *_) = counts("before")
    assert 0 < first <= before
    assert second <= first
    assert same == "True"

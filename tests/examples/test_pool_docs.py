"""Every pool and every mode has its place in the documentation.

`test_docs` runs the programs there, and the one of Ray, which takes long to start, runs here.
"""

import os
import re
from pathlib import Path

import pytest

import fsdf_pools
from fsdf import ConcurrentModeEnum
from tests.examples.doc_blocks import programs

PAGE = Path(__file__).parents[2] / "docs" / "concurrency.md"


def public_pools():
    found = {name for name in fsdf_pools.__all__ if not issubclass(getattr(fsdf_pools, name), BaseException)}
    return found | {"RayPool"}


def test_every_pool_has_a_section_with_a_program_that_uses_it():
    pools = public_pools()
    assert len(pools) > 8
    by_heading = {}
    for program in programs(PAGE)[0]:
        by_heading.setdefault(program.heading, []).append(program.source)
    missing = [name for name in pools if not re.search(rf"\b{name}\(", " ".join(by_heading.get(name.lower(), [])))]
    assert not missing


def test_every_mode_is_told_of():
    text = PAGE.read_text(encoding="utf-8")
    assert not [mode.name for mode in ConcurrentModeEnum if f"`{mode.name}`" not in text]


@pytest.mark.timeout(240)
def test_the_program_on_ray(run_example):
    if os.environ.get("CI", "").lower() not in {"1", "true"}:
        pytest.importorskip("ray")
    (program,) = (each for each in programs(PAGE)[0] if each.heading == "raypool")
    example = run_example(program.source, RAY_AUTH_MODE="disabled", RAY_USAGE_STATS_ENABLED="0")
    example.until([re.escape(line) for line in program.prints], seconds=180)
    assert example.rest() == 0, example.output

"""Gives every test of the workspace the fixtures that start real servers."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# pytest's importlib mode leaves sys.path alone, and `tests` is no installed package.
sys.path.insert(0, str(Path(__file__).parent))

# A busy machine makes an example slow; what must be fast is measured, not asserted.
settings.register_profile("fsdf", deadline=None)
settings.load_profile("fsdf")

pytest_plugins = ["tests.servers.fixtures"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let measurements of rates and of processor time try again; nothing else may."""
    for item in items:
        if item.get_closest_marker("realtime"):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let reports pass between processes whatever a test has logged: halves of surrogate pairs cannot be encoded."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture
def no_destructors() -> Iterator[None]:
    """Keep the garbage collector away: an exception injected from another thread that rises in a destructor is lost."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()

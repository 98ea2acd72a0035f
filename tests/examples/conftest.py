"""Starts examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tests.examples.script import Example

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RunExample(Protocol):
    """Starts a script, with arguments, and settings as environment variables."""

    def __call__(self, source: str, *arguments: str, **settings: str) -> Example: ...


@pytest.fixture
def run_example(tmp_path: Path) -> Iterator[RunExample]:
    """Starts examples that end with the test."""
    started: list[Example] = []

    def start(source: str, *arguments: str, **settings: str) -> Example:
        started.append(Example(tmp_path, source, arguments, settings))
        return started[-1]

    yield start
    for one in started:
        one.close()

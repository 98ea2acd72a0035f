"""Every Python block of the documentation runs, and prints what the text block after it says.

The convention stands at `doc_blocks.programs`. A program that consumes is ended by SIGTERM when all is printed.
"""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fsdf_control
from fsdf import BoosterParams
from fsdf.built import PARAMS_NOT_BUILT
from fsdf_core import registry
from tests.examples.doc_blocks import Program, programs
from tests.examples.script import Example

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = (
    "docs/tutorial.md",
    "docs/migrating.md",
    "docs/controls.md",
    "docs/processes.md",
    "docs/concurrency.md",
    "docs/results.md",
    "docs/cli.md",
    "docs/settings.md",
    "docs/records.md",
    "docs/logging.md",
    "docs/web.md",
    "CONTRIBUTING.md",
    "packages/fsdf/README.md",
    "packages/fsdf-control/README.md",
    "packages/fsdf-core/README.md",
)
TEST = "test_a_program_of_the_documentation"
MODULES = {name: source for page in PAGES for name, source in programs(ROOT / page)[1].items()}
ELSEWHERE = {"raypool"}  # the heading of a program that another file runs
PROGRAMS = [each for page in PAGES for each in programs(ROOT / page)[0] if each.heading not in ELSEWHERE]


def run(program: Program, folder: Path) -> None:
    """Run a program until all is printed that the page says, and until it has ended well."""
    for name, source in MODULES.items():
        (folder / name).write_text(source, encoding="utf-8")
    example = Example(folder, program.source, (), {})
    try:
        assert program.prints, "say in a text block what it prints"
        example.until([rf"(?m)^{re.escape(line)}$" for line in program.prints])
        assert (example.rest() if program.ends else example.terminate()) == 0, example.output
    finally:
        example.close()


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Program, Future]]:
    """Run the programs of the tests that were chosen, a few at a time, because they mostly wait."""
    chosen = [item.callspec.params["program"] for item in request.session.items if item.originalname == TEST]
    with ThreadPoolExecutor(max_workers=3) as pool:
        yield {program: pool.submit(run, program, tmp_path_factory.mktemp("program")) for program in chosen}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_program_of_the_documentation(running: dict[Program, Future], program: Program) -> None:
    running[program].result()


def code_of(page: str) -> str:
    """Return the page's inline code and its decorators, as one text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return " ".join([*re.findall(r"`([^`\n]+)`", text), *(program.source for program in programs(ROOT / page)[0])])


def test_every_control_is_documented() -> None:
    text = code_of("docs/controls.md")
    assert not [name for name in fsdf_control.__all__ if name != "__version__" and not re.search(rf"\b{name}\b", text)]


def test_every_control_has_a_program() -> None:
    sources = " ".join(program.source for program in PROGRAMS)
    assert not [name for name in fsdf_control.__all__ if name[0].isupper() and not re.search(rf"\b{name}\b", sources)]


def test_every_parameter_of_a_rule_is_documented() -> None:
    text = code_of("docs/controls.md")
    rule = re.compile(
        "qps|retry|timeout|expire|filter|frequency|run_time|run_by|kill|dlx|batch|controls|record_process"
    )
    names = [name for name in BoosterParams.model_fields if rule.search(name) and name not in PARAMS_NOT_BUILT]
    assert len(names) > 15
    assert not [name for name in names if not re.search(rf"\b{name}\b", text)]


def test_the_table_of_brokers() -> None:
    text = (ROOT / "docs/controls.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1:-1] for row in re.findall(r"^\| `[A-Z].*$", text, re.MULTILINE)]
    said = {kind: [cell.split()[0].strip(",") for cell in cells] for kinds, *cells in rows for kind in kinds_in(kinds)}
    assert len(said) > 10
    for kind, answers in said.items():
        has = registry.brokers.get(kind).capabilities
        facts = (has.acks, has.delivery_count, has.delay, has.priority)
        assert answers == ["yes" if fact else "no" for fact in facts], kind


def kinds_in(cell: str) -> list[str]:
    return re.findall(r"`([A-Z_]+)`", cell)

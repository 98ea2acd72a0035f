"""Every Python block of the documentation runs, and prints what the text block after it says.

The convention stands at `doc_blocks.programs`. A program that consumes is ended by SIGTERM when all is printed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fsdf_control
from fsdf import BoosterParams
from fsdf.built import PARAMS_NOT_BUILT
from tests.examples.doc_blocks import Program, programs

if TYPE_CHECKING:
    from tests.examples.conftest import RunExample

ROOT = Path(__file__).parents[2]
PAGES = ("docs/controls.md", "CONTRIBUTING.md")
MODULES = {name: source for page in PAGES for name, source in programs(ROOT / page)[1].items()}
PROGRAMS = [program for page in PAGES for program in programs(ROOT / page)[0]]


def lines(program: Program) -> list[str]:
    return [rf"(?m)^{re.escape(line)}$" for line in program.prints]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_program_of_the_documentation(run_example: RunExample, tmp_path: Path, program: Program) -> None:
    for name, source in MODULES.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    example = run_example(program.source)
    assert program.prints, "say in a text block what it prints"
    example.until(lines(program))
    if program.ends:
        assert example.rest() == 0, example.output
    else:
        assert example.terminate() == 0, example.output


def code_of(page: str) -> str:
    """Return the page's inline code and its decorators, as one text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return " ".join([*re.findall(r"`([^`\n]+)`", text), *(program.source for program in programs(ROOT / page)[0])])


def test_every_control_is_documented() -> None:
    text = code_of("docs/controls.md")
    assert not [name for name in fsdf_control.__all__ if name != "__version__" and not re.search(rf"\b{name}\b", text)]


def test_every_parameter_of_a_rule_is_documented() -> None:
    text = code_of("docs/controls.md")
    rule = re.compile(
        "qps|retry|timeout|expire|filter|frequency|run_time|run_by|kill|dlx|batch|controls|record_process"
    )
    names = [name for name in BoosterParams.model_fields if rule.search(name) and name not in PARAMS_NOT_BUILT]
    assert len(names) > 15
    assert not [name for name in names if not re.search(rf"\b{name}\b", text)]

"""The programs in a Markdown file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FILE = re.compile(r"# (\w+\.py)\n")


class Program(NamedTuple):
    """A Python block, the lines that the text block after it says it prints, and where it stands."""

    source: str
    prints: tuple[str, ...]
    heading: str
    number: int

    @property
    def ends(self) -> bool:
        """Whether it ends by itself: a program that consumes in the background lives until somebody ends its consumer.

        A signal to one that ends already may come when its handlers are gone.
        """
        return "consume(" not in self.source or "shut_down(" in self.source

    def __str__(self) -> str:
        return f"{self.heading}-{self.number}"


def programs(path: Path) -> tuple[list[Program], dict[str, str]]:
    """Return the programs of a file, and its modules: blocks that begin with `# name.py`, by that name.

    Every block in a fence `python` is a whole program. One in a fence `text` right after it has lines that the
    program prints: all of them, in any order, among others.
    """
    text = path.read_text(encoding="utf-8")
    found: list[Program] = []
    modules: dict[str, str] = {}
    for fence in _FENCE.finditer(text):
        language, body = fence.groups()
        # Whatever is a comment in a program before this one is a heading to this expression: fences are cut out.
        before = _FENCE.sub("", text[: fence.start()])
        heading = re.sub(r"\W+", "-", _HEADING.findall(before)[-1].lower()).strip("-")
        if language == "python" and (file := _FILE.match(body)):
            modules[file[1]] = body
        elif language == "python":
            found.append(Program(body, (), heading, 1 + sum(each.heading == heading for each in found)))
        elif language == "text" and found and not text[: fence.start()].rpartition("```")[2].strip():
            found[-1] = found[-1]._replace(prints=tuple(body.splitlines()))
    return found, modules

"""Tables for people, JSON for programs."""

from __future__ import annotations

import datetime
import sys
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
"""The option of every command that reads."""


def print_json(data: Any) -> None:
    """Print data as JSON on standard output."""
    sys.stdout.write(orjson.dumps(data, default=_plain, option=orjson.OPT_INDENT_2).decode() + "\n")


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> Table:
    """Return a table; a heading that begins with ">" is one of numbers."""
    from rich.markup import escape  # noqa: PLC0415 - rich takes its time
    from rich.table import Table  # noqa: PLC0415 - as above

    made = Table(title=title or None, box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in headings:
        number = heading.startswith(">")
        made.add_column(heading.lstrip(">"), justify="right" if number else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    return made


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "", empty: str = "") -> None:
    """Print a table; `empty` if there are no rows."""
    listed = list(rows)
    if not listed and empty:
        say(empty)
        return
    console().print(table(headings, listed, title))


def console() -> Any:
    """Return what prints tables: as wide as the terminal, and not narrowed where there is none."""
    from rich.console import Console  # noqa: PLC0415 - as above

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=200)


def say(line: str) -> None:
    """Print a line on standard output."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """Print a line beside the output, on standard error."""
    sys.stderr.write(line + "\n")


def say_wrong(message: str) -> None:
    """Print what went wrong, on standard error."""
    sys.stderr.write(f"Error: {message}\n")


def moment(seconds: float | None) -> str:
    """Return a time since the epoch as local text; "" for none."""
    if not seconds:
        return ""
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """Return a length of time, such as "3d 4h", "5m 2s"."""
    whole = int(max(0, seconds))
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    told = [f"{number}{unit}" for number, unit in parts if number]
    return " ".join(told[:2]) or "0s"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)

"""What a user sees of an error: one clear line, and a status that scripts can tell apart."""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from fsdf_cli.chaining import commands_of
from fsdf_cli.output import say_wrong
from fsdf_core.errors import ConfigurationError, FsdfError, MessageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FAILED, MISUSED, UNANSWERED, INTERRUPTED = 1, 2, 3, 130
"""Exit statuses: it did not work; it was asked for wrongly; no answer came in time; Ctrl-C."""


_OURS = frozenset({"fsdf", "fsdf_cli", "fsdf_core"})
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


_lost: set[type[BaseException]] = set()


def expect(errors: Iterable[type[BaseException]]) -> None:
    """Know a client library's exceptions that mean "connection lost": to the user they are trouble, no defect."""
    _lost.update(errors)


def troubles() -> tuple[type[BaseException], ...]:
    """Return what an unreachable broker or store raises."""
    return (FsdfError, OSError, *_lost)


class BrokenModule(ConfigurationError):
    """A module of the user's cannot be imported; tells where it breaks."""


class Commands(TyperGroup):
    """The root of all commands: turns errors of fsdf into a line and a status. FSDF_DEBUG=1 keeps tracebacks."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run the commands of a line, one after the other; the first one that fails is the last one."""
        *first, last = commands_of(sys.argv[1:] if args is None else args)
        for words in first:
            try:
                super().main(words, *others, **options)
            except SystemExit as end:
                if end.code:
                    raise
        return super().main(last if first else args, *others, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not isinstance(error, troubles()) or os.environ.get("FSDF_DEBUG"):
                raise
            say_wrong(str(error) if isinstance(error, FsdfError) else f"{type(error).__name__}: {error}")
            raise typer.Exit(MISUSED if isinstance(error, ConfigurationError | MessageError) else FAILED) from None


def broken_module(name: str, error: BaseException) -> BrokenModule:
    """Return the error for a module that raised when it was imported, with the place in the user's files."""
    place = user_place(error)
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}, line {error.lineno}"
    where = f" ({place})" if place else ""
    return BrokenModule(f"cannot import {name}: {type(error).__name__}: {error}{where}. FSDF_DEBUG=1 shows it all")


def user_place(error: BaseException) -> str:
    """Return the file and line of the user's where an error began; "" if it began elsewhere."""
    place, trace = "", error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        filename = frame.f_code.co_filename
        ours = str(frame.f_globals.get("__name__", "")).partition(".")[0] in _OURS
        if not ours and not filename.startswith(("<", *_LIBRARIES)):
            place = f"{filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place

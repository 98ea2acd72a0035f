"""`fsdf move`: messages from one queue to another."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fsdf_cli.addresses import find
from fsdf_cli.examples import examples
from fsdf_cli.mistakes import INTERRUPTED
from fsdf_cli.moving import move as move_messages
from fsdf_cli.output import AsJson, note, print_json, say
from fsdf_cli.targets import Modules  # noqa: TC001 - typer reads it

EXAMPLES = examples(
    "fsdf move sums SQLITE_QUEUE:sums_old",
    "fsdf move SQLITE_QUEUE:sums REDIS_STREAM:sums",
    "fsdf move sums_dlx sums --limit 10",
)


def move(
    source: Annotated[str, typer.Argument(metavar="FROM", help="QUEUE or BROKER:QUEUE.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="QUEUE or BROKER:QUEUE; made if need be.")],
    modules: Modules = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="How many at most.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Move what is ready on a queue to another one, also of another broker.

    Each batch is received, sent and then acknowledged: an interruption loses nothing, and the same command goes on.
    """
    first, second = find(source, modules).queue, find(target, modules, strict=False).queue
    total = 0

    def tell(moved: int) -> None:
        nonlocal total
        total = moved
        if sys.stderr.isatty():
            note(f"{moved} moved")

    try:
        total = move_messages(first, second, limit, tell)
    except KeyboardInterrupt:
        note(f"interrupted after {total}: the same command moves the rest")
        raise typer.Exit(INTERRUPTED) from None
    can = first.broker.capabilities
    size = first.size() if can.size else None
    if as_json:
        print_json({"moved": total, "ready": size.ready if size else None, "delayed": size.delayed if size else None})
        return
    say(f"{total} moved")
    if size is not None and size.delayed:
        say(f"{size.delayed} stay that wait for their time")

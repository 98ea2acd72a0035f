"""`fsdf dlq`: dead letters."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from fsdf_cli.addresses import DEAD, QUEUE_HELP, find, queue_names
from fsdf_cli.examples import examples
from fsdf_cli.mistakes import FAILED
from fsdf_cli.output import AsJson, moment, print_json, print_table, say
from fsdf_cli.targets import Modules  # noqa: TC001 - typer reads it
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from fsdf_core.dead_letters import DeadTask

EXAMPLES = examples(
    "fsdf dlq list sums",
    "fsdf dlq show sums 0198b2c4-5d2e-7000-8000-000000000001",
    "fsdf dlq replay sums --all",
    "fsdf dlq drop sums ID ID",
)
_MANY = 100_000

group = typer.Typer(
    help="Look at dead letters, send them back, throw them away.", no_args_is_help=True, epilog=EXAMPLES
)
QueueName = Annotated[
    str, typer.Argument(help=f"{QUEUE_HELP} The dead letters are on its {DEAD} queue.", autocompletion=queue_names)
]
Ids = Annotated[list[str] | None, typer.Argument(help="Task ids.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@group.command("list", epilog=examples("fsdf dlq list sums", "fsdf dlq list sums --json"))
def list_(
    queue: QueueName,
    modules: Modules = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List the dead letters of a queue, the oldest first."""
    letters = _letters(queue, modules).list(limit)
    if as_json:
        print_json([_plain(letter) for letter in letters])
    else:
        rows = [
            (each.task_id or "(no task)", moment(each.time), each.attempts, each.reason, each.error) for each in letters
        ]
        print_table(("task", "since", ">runs", "reason", "error"), rows, empty="no dead letters")


@group.command(epilog=examples("fsdf dlq show sums 0198b2c4-5d2e-7000-8000-000000000001"))
def show(queue: QueueName, task_id: str, modules: Modules = None, *, as_json: AsJson = False) -> None:
    """Show one dead letter with its arguments and its traceback."""
    for letter in _letters(queue, modules).list(_MANY):
        if letter.task_id == task_id:
            break
    else:
        raise UnknownName(f"{queue} has no dead letter {task_id!r}")
    if as_json:
        print_json(_plain(letter))
        return
    facts = _plain(letter)
    trace, arguments = facts.pop("traceback"), orjson.dumps(facts.pop("arguments"), default=str).decode()
    facts["time"] = moment(letter.time)
    print_table(("", ""), [*((name, value) for name, value in facts.items() if value), ("arguments", arguments)])
    if trace:
        say(trace)


@group.command(epilog=examples("fsdf dlq replay sums --all", "fsdf dlq replay sums ID ID"))
def replay(
    queue: QueueName, task_ids: Ids = None, modules: Modules = None, *, every: All = False, as_json: AsJson = False
) -> None:
    """Send dead letters back to their queue, as new tasks."""
    count = _letters(queue, modules).replay(_chosen(task_ids, every=every))
    _tell("replayed", count, task_ids, as_json=as_json)


@group.command(epilog=examples("fsdf dlq drop sums ID ID", "fsdf dlq drop --yes sums --all"))
def drop(
    queue: QueueName,
    task_ids: Ids = None,
    modules: Modules = None,
    *,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters. Asks before it deletes all."""
    chosen = _chosen(task_ids, every=every)
    letters = _letters(queue, modules)
    if chosen is None and not yes and not typer.confirm(f"Delete all dead letters of {queue}?", err=True):
        raise typer.Exit(FAILED)
    _tell("deleted", letters.drop(chosen), task_ids, as_json=as_json)


def _letters(queue: str, modules: list[str] | None) -> DeadLetters:
    return DeadLetters(find(queue.removesuffix(DEAD), modules).queue)


def _chosen(task_ids: list[str] | None, *, every: bool) -> list[str] | None:
    if bool(task_ids) == every:
        raise ConfigurationError("name the tasks' ids, or --all")
    return None if every else task_ids


def _tell(done: str, count: int, task_ids: list[str] | None, *, as_json: bool) -> None:
    if as_json:
        print_json({done: count})
    else:
        say(f"{count} {done}")
    if task_ids and count < len(set(task_ids)):
        raise typer.Exit(FAILED)


def _plain(letter: DeadTask) -> dict[str, Any]:
    facts = asdict(letter)
    if isinstance(letter.body, bytes):
        facts["body"] = letter.body.decode("utf-8", "replace")
    return facts

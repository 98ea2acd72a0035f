"""`fsdf workers`: who works, and orders to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsdf_cli.addresses import find, roster
from fsdf_cli.examples import examples
from fsdf_cli.output import AsJson, print_json, print_table, say, span
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from fsdf_core.roster import Worker

EXAMPLES = examples(
    "fsdf workers",
    "fsdf workers --host alpha --json",
    "fsdf workers stop alpha-4711-0123456789abcdef",
    "fsdf workers pace sums --qps 10 --concurrency 4",
)
_MEGABYTE = 1024 * 1024

group = typer.Typer(help="Show who works, and command them.", invoke_without_command=True, epilog=EXAMPLES)


@group.callback(invoke_without_command=True)
def workers(
    context: typer.Context,
    queue: Annotated[str | None, typer.Option("--queue", "-q", help="Only those of a queue.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Only those of a host, by name or address.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the living workers: each is one consumer of one queue."""
    if context.invoked_subcommand is not None:
        return
    found = [worker for worker in roster().workers(queue) if host in {None, worker.host, worker.ip}]
    if as_json:
        print_json(found)
    else:
        headings = ("worker", "queue", "host", ">pid", "up", ">running", "of", ">done", ">failed", ">a second", ">MB")
        print_table(headings, map(_row, found), empty="nobody works, as far as is known")


@group.command(epilog=examples("fsdf workers stop alpha-4711-0123456789abcdef"))
def stop(
    consumer_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="As `fsdf workers` lists them.")],
) -> None:
    """Let workers drain and stop; each begins within 2 s. Its process ends if nothing else keeps it."""
    for consumer_id in consumer_ids:
        roster().shut_down(consumer_id)
        say(f"{consumer_id} ends")


@group.command(epilog=examples("fsdf workers pace sums --qps 10 --concurrency 4", "fsdf workers pace sums --reset"))
def pace(
    queue: Annotated[str, typer.Argument(help="The queue's name.")],
    qps: Annotated[float | None, typer.Option("--qps", min=0, help="Starts a second in each consumer; 0: any.")] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-c", min=1, help="Calls at once in each.")
    ] = None,
    *,
    reset: Annotated[bool, typer.Option("--reset", help="As their code says, from now on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change how fast the workers of a queue are, within 2 s, also after restarts; or show what is ordered."""
    known = roster()
    if reset and (qps is not None or concurrency is not None):
        raise ConfigurationError("--reset stands alone")
    name = find(queue).known.name
    if reset:
        known.reset_pace(name)
    else:
        known.set_pace(name, qps=qps, concurrency=concurrency)
    ordered = known.pace(name)
    if as_json:
        print_json(ordered)
        return
    rate = "as the code says" if ordered.qps is None else f"{ordered.qps:g}" if ordered.qps else "any number of"
    say(f"{name}: starts a second: {rate}; at once: {ordered.concurrency or 'as the code says'}")


@group.command(epilog=examples("fsdf workers forget sums"))
def forget(queue: Annotated[str, typer.Argument(help="The queue's name.")]) -> None:
    """List a queue no more, until a worker consumes it again; its messages stay."""
    names = [each.name for each in roster().queues()]
    if queue not in names:
        raise UnknownName(f"no queue {queue!r} is known.{did_you_mean(queue, names)}")
    roster().forget_queue(queue)
    say(f"{queue} is forgotten")


def _row(worker: Worker) -> tuple[Any, ...]:
    return (
        worker.consumer_id, worker.queue, worker.host, worker.pid, span(worker.seen - worker.started),
        worker.running, worker.concurrency, worker.succeeded, worker.failed, worker.per_second,
        None if worker.memory is None else worker.memory // _MEGABYTE,
    )  # fmt: skip

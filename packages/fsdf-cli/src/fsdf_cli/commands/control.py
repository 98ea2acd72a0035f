"""`fsdf purge`, `pause`, `resume` and `kill`: command a queue."""

from __future__ import annotations

from typing import Annotated

import typer

from fsdf_cli.addresses import QUEUE_HELP, find, queue_names, roster, state
from fsdf_cli.examples import examples
from fsdf_cli.mistakes import FAILED
from fsdf_cli.output import AsJson, print_json, say
from fsdf_cli.targets import Modules  # noqa: TC001 - typer reads it
from fsdf_core.errors import ConfigurationError

PURGE_EXAMPLES = examples(
    "fsdf purge sums",
    "fsdf purge --yes sums mails",
)
KILL_EXAMPLES = examples(
    "fsdf kill 0198b2c4-5d2e-7000-8000-000000000001 --queue sums",
)
PAUSE_EXAMPLES = examples("fsdf pause sums mails")
RESUME_EXAMPLES = examples("fsdf resume sums mails")
QueueNames = Annotated[list[str], typer.Argument(help=QUEUE_HELP, autocompletion=queue_names)]


def purge(
    queues: QueueNames,
    modules: Modules = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete the messages that wait on queues; what runs is left alone. Asks first."""
    addresses = [find(name, modules) for name in queues]
    deleted = {}
    for address in addresses:
        can = address.queue.broker.capabilities
        if not can.purge:
            raise ConfigurationError(f"{address.known.broker_kind} cannot delete messages that wait")
        size = address.queue.size() if can.size else None
        waiting = size.ready + size.delayed if size is not None else None
        if not yes and not typer.confirm(f"Delete {_count(waiting)} on {address.known.name}?", err=True):
            raise typer.Exit(FAILED)
        address.queue.purge()
        deleted[address.known.name] = waiting
    if as_json:
        print_json(deleted)
    else:
        for name, waiting in deleted.items():
            say(f"{name}: {_count(waiting)} deleted")


def pause(queues: QueueNames, modules: Modules = None) -> None:
    """Let no task of these queues start, in any process, within a second; what runs ends as usual."""
    for name in queues:
        address = find(name, modules)
        address.require_reachable()
        address.booster.pause_consume()
        say(f"{name} is paused")


def resume(queues: QueueNames, modules: Modules = None) -> None:
    """End the pause of queues."""
    for name in queues:
        address = find(name, modules)
        address.require_reachable()
        address.booster.continue_consume()
        say(f"{name} goes on")


def kill(
    task_id: Annotated[str, typer.Argument(help="The task's id.")],
    queue: Annotated[
        list[str] | None, typer.Option("--queue", "-q", help="Its queue; else all that are known.")
    ] = None,
    modules: Modules = None,
) -> None:
    """End one task, waiting or running, within 2 s; its function needs is_support_remote_kill_task=True."""
    from fsdf_control.kill import kill as end  # noqa: PLC0415 - only this command needs it

    known = roster().queues()
    names = [find(name, modules).known.name for name in queue] if queue else [each.name for each in known]
    if not names:
        raise ConfigurationError("no queues are known: name the task's with --queue")
    for name in names:
        end(state(), name, task_id)
    deaf = [each.name for each in known if each.name in names and not each.params.get("is_support_remote_kill_task")]
    if deaf and len(deaf) == len(names):
        say(f"marked, but {', '.join(deaf)} takes no notice: its function needs is_support_remote_kill_task=True")
    else:
        say(f"{task_id} ends within 2 s, if it is on {', '.join(names)}")


def _count(waiting: int | None) -> str:
    return "all messages" if waiting is None else f"{waiting} message{'s' * (waiting != 1)}"

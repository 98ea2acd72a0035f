"""`fsdf queues` and `fsdf inspect`: what is on the queues."""

from __future__ import annotations

import itertools
import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsdf_cli.addresses import QUEUE_HELP, described, find, queue_names, roster
from fsdf_cli.examples import examples
from fsdf_cli.output import AsJson, console, moment, print_json, print_table, say, span, table
from fsdf_cli.peek import peek
from fsdf_cli.queue_view import QueueView, view, views
from fsdf_cli.targets import Modules, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsdf_core.roster import KnownQueue

QUEUES_EXAMPLES = examples(
    "fsdf queues",
    "fsdf queues --watch",
    "fsdf queues --json | jq '.[] | select(.ready > 1000) | .queue'",
)
INSPECT_EXAMPLES = examples(
    "fsdf inspect sums",
    "fsdf inspect sums --peek 5",
)
_HEADINGS = (
    "queue", "broker", ">ready", ">delayed", ">unacked", ">dead", ">workers", ">running", ">a second", "state"
)  # fmt: skip


def queues(
    modules: Modules = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it anew until Ctrl-C.")] = False,  # noqa: FBT002
    interval: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")] = 2.0,
    times: Annotated[int | None, typer.Option("--times", min=1, help="With --watch: end after so many looks.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the queues that workers have consumed, and those of imported modules."""
    known = {queue.name: queue for queue in roster().queues()}
    known |= {booster.queue_name: described(booster) for booster in load(modules or ())}
    listed = list(known.values())
    if watch:
        _watch(listed, interval, times, as_json=as_json)
    elif as_json:
        print_json(views(listed))
    else:
        print_table(
            _HEADINGS,
            map(_row, views(listed)),
            empty="no queues are known: they are as soon as a worker consumes them, or import their modules with -i",
        )


def inspect(
    queue: Annotated[str, typer.Argument(help=QUEUE_HELP, autocompletion=queue_names)],
    modules: Modules = None,
    count: Annotated[int, typer.Option("--peek", min=0, help="Show the first messages, and leave them there.")] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Show all about one queue: numbers, workers, parameters, and some of its messages."""
    address = find(queue, modules)
    workers = roster().workers(address.known.name)
    now = view(address.known, workers)
    messages = peek(address.queue, count) if count else []
    if as_json:
        print_json({**asdict(now), "known": address.known, "living": workers, "messages": messages})
        return
    facts: dict[str, Any] = {**asdict(now), "function": address.known.function, "group": address.known.group}
    facts |= {"last consumer began": moment(address.known.seen), **address.known.params}
    print_table(("", ""), [(name.replace("_", " "), value) for name, value in facts.items() if value not in (None, "")])
    if address.known.parameters:
        say("")
        print_table(("argument", "type", "default"), map(_parameter, address.known.parameters))
    if workers:
        say("")
        rows = [(w.consumer_id, w.running, w.succeeded, w.failed, span(w.seen - w.started)) for w in workers]
        print_table(("worker", ">running", ">succeeded", ">failed", "up"), rows)
    for message in messages:
        say(message["body"])


def _watch(known: Sequence[KnownQueue], interval: float, times: int | None, *, as_json: bool) -> None:
    from rich.live import Live  # noqa: PLC0415 - rich takes its time

    def looks() -> Iterator[list[QueueView]]:
        pause = threading.Event()
        for look in itertools.count(1):
            yield views(known)
            if look == times:
                return
            pause.wait(interval)

    if as_json or not sys.stdout.isatty():
        for seen in looks():
            print_json(seen) if as_json else print_table(_HEADINGS, map(_row, seen))
        return
    with Live(console=console(), auto_refresh=False) as live:
        for seen in looks():
            live.update(table(_HEADINGS, map(_row, seen)), refresh=True)


def _row(each: QueueView) -> tuple[Any, ...]:
    state = ["paused"] if each.paused else []
    if each.qps is not None:
        state.append(f"{each.qps:g} a second" if each.qps else "no rate limit")
    if each.concurrency is not None:
        state.append(f"{each.concurrency} at once")
    if each.trouble:
        state.append(each.trouble)
    return (
        each.queue, each.broker_kind, each.ready, each.delayed, each.unacked, each.dead,
        each.workers, each.running, each.per_second, ", ".join(state),
    )  # fmt: skip


def _parameter(each: Any) -> tuple[Any, ...]:
    if "variadic" in each:
        return ({"args": "*", "kwargs": "**"}[each["variadic"]] + each["name"], each.get("annotation"), "")
    default = "needed" if each.get("required") else repr(each["default"]) if "default" in each else "optional"
    return each["name"], each.get("annotation"), default

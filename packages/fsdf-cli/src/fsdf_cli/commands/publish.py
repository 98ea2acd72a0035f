"""`fsdf push` and `fsdf publish`: put calls on a queue."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from fsdf_cli.addresses import QUEUE_HELP, Address, find, queue_names
from fsdf_cli.call_arguments import named, parsed
from fsdf_cli.commands.result import tell_result
from fsdf_cli.examples import examples
from fsdf_cli.output import AsJson, print_json, say
from fsdf_cli.targets import Modules, facade
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

PUSH_EXAMPLES = examples(
    "fsdf push sums 1 2",
    "fsdf push -i app.tasks sums 1 --y=2",
    "fsdf push --wait 10 REDIS_STREAM:sums --x=1 --y='{\"a\": [1]}'",
)
PUBLISH_EXAMPLES = examples(
    'fsdf publish sums \'{"x": 1, "y": 2}\'',
    "fsdf publish --countdown 60 --task-id 42 sums '{\"x\": 1}'",
    "zcat calls.jsonl.gz | fsdf publish sums -",
)
_BATCH = 1000

QueueName = Annotated[str, typer.Argument(help=QUEUE_HELP, autocompletion=queue_names)]
Countdown = Annotated[float | None, typer.Option("--countdown", min=0, help="Seconds until it may run.")]
Priority = Annotated[int | None, typer.Option("--priority", help="From 0 (low), on brokers that have priorities.")]
TaskId = Annotated[str | None, typer.Option("--task-id", help="The task's id; else a new one.")]
Wait = Annotated[float | None, typer.Option("--wait", min=0, help="Wait so many seconds for the result, and print it.")]


def push(
    queue: QueueName,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[ARG]... [--NAME=VALUE]...", help="The call; JSON where it can be.")
    ] = None,
    modules: Modules = None,
    countdown: Countdown = None,
    priority: Priority = None,
    task_id: TaskId = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Publish one call, written as words. Options of this command stand before the queue's name."""
    address = find(queue, modules)
    address.require_reachable()
    args, kwargs = parsed(words or ())
    options = _options(countdown, priority, rpc=wait is not None)
    if address.imported:
        try:
            arguments = address.booster.publisher.arguments(tuple(args), kwargs)
        except TypeError as error:
            raise ConfigurationError(f"{address.known.name}: {error}") from None
    else:
        arguments = named(address.known, args, kwargs)
    _tell(address, _publish(address, arguments, task_id, options), wait, as_json=as_json)


def publish(
    queue: QueueName,
    message: Annotated[str, typer.Argument(help="A JSON object of the arguments, or - for one a line from the input.")],
    modules: Modules = None,
    countdown: Countdown = None,
    priority: Priority = None,
    task_id: TaskId = None,
    wait: Wait = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Publish one call as JSON, or many from standard input, one a line."""
    address = find(queue, modules)
    address.require_reachable()
    options = _options(countdown, priority, rpc=wait is not None)
    if message != "-":
        result = _publish(address, _object(message, "the message"), task_id, options)
        _tell(address, result, wait, as_json=as_json)
        return
    if task_id is not None or wait is not None:
        raise ConfigurationError("--task-id and --wait are for one message, not for many")
    sent, lines = 0, _lines()
    while batch := list(islice(lines, _BATCH)):
        sent += len(address.booster.publish_many(batch, options))
    if as_json:
        print_json({"queue": address.known.name, "published": sent})
    else:
        say(f"{sent} published")


def _options(countdown: float | None, priority: int | None, *, rpc: bool) -> Any:
    given = {"countdown": countdown, "priority": priority, "is_using_rpc_mode": True if rpc else None}
    given = {name: value for name, value in given.items() if value is not None}
    return facade().TaskOptions(**given) if given else None


def _publish(address: Address, arguments: dict[str, Any], task_id: str | None, options: Any) -> Any:
    try:
        return address.booster.publish(arguments, task_id, options)
    except TypeError as error:
        raise ConfigurationError(f"{address.known.name}: {error}") from None


def _tell(address: Address, result: Any, wait: float | None, *, as_json: bool) -> None:
    if wait is not None:
        tell_result(result, wait, as_json=as_json)
    elif as_json:
        print_json({"queue": address.known.name, "task_id": result.task_id})
    else:
        say(result.task_id)


def _lines() -> Iterator[dict[str, Any]]:
    for number, line in enumerate(sys.stdin, 1):
        if line.strip():
            yield _object(line, f"line {number}")


def _object(text: str, title: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{title} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f'{title} is no JSON object of arguments, such as {{"x": 1}}')
    return found

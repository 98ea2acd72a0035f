"""`fsdf result`: what a task has returned."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fsdf_cli.examples import examples
from fsdf_cli.mistakes import FAILED, UNANSWERED
from fsdf_cli.output import AsJson, note, print_json, say, say_wrong
from fsdf_cli.targets import facade
from fsdf_core.errors import FsdfError

EXAMPLES = examples(
    "fsdf result 0198b2c4-5d2e-7000-8000-000000000001",
    'fsdf result --timeout 0 ID || echo "not yet"',
)


def result(
    task_id: Annotated[str, typer.Argument(help="The task's id.")],
    timeout: Annotated[float, typer.Option("--timeout", "-t", min=0, help="Seconds to wait.")] = 10.0,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the result of a task that was published with is_using_rpc_mode; status 1 if it failed, 3 if none comes."""
    tell_result(facade().AsyncResult(task_id), timeout, as_json=as_json)


def tell_result(handle: Any, timeout: float, *, as_json: bool) -> None:
    """Wait for a task's result and print it.

    Raises:
        Exit: it failed, or there was no answer in time.
    """
    try:
        value = handle.get(timeout)
    except TimeoutError as error:
        note(f"no result of {handle.task_id} within {timeout:g} s: {error}")
        raise typer.Exit(UNANSWERED) from None
    except FsdfError as error:
        if as_json:
            print_json({"task_id": handle.task_id, "success": False, "error": str(error)})
        else:
            say_wrong(str(error))
        raise typer.Exit(FAILED) from None
    if as_json:
        print_json({"task_id": handle.task_id, "success": True, "result": value})
    else:
        say(value if isinstance(value, str) else _text(value))


def _text(value: Any) -> str:
    import orjson  # noqa: PLC0415 - only here

    return orjson.dumps(value, default=str).decode()

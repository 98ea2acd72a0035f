"""`fsdf web`: the web UI."""

from __future__ import annotations

import importlib
from typing import Any

import typer

from fsdf_cli.examples import examples
from fsdf_core.errors import MissingDependency

EXAMPLES = examples(
    "fsdf web",
    "fsdf web --port 8080",
)
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def web(context: typer.Context) -> None:
    """Serve the web UI; the same as fsdf-web, and takes its options."""
    try:
        command: Any = importlib.import_module("fsdf_web.command")
    except ModuleNotFoundError as error:
        raise MissingDependency(f"the web UI needs the library {error.name!r}: pip install fsdf[web]") from None
    raise typer.Exit(command.main(context.args) or 0)

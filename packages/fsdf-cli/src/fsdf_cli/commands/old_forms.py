"""The commands of older frameworks, under their names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsdf_cli.addresses import QUEUE_HELP, find
from fsdf_cli.commands.queues import queues
from fsdf_cli.output import note, say
from fsdf_cli.targets import Modules, facade, load
from fsdf_cli.working import chosen, work_here, work_in_processes
from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import patch_frame_config

if TYPE_CHECKING:
    from fsdf.booster import Booster

_DEPTH = 3
NUMBERS = {"allow_extra_args": True, "ignore_unknown_options": True}
QueueNames = Annotated[list[str], typer.Argument(help=QUEUE_HELP)]


def prepare(
    root: str | None, modules: str | None, folders: str | None, max_depth: int, py_file_re_str: str | None
) -> None:
    """Do what the options before the command say: change the folder, import modules, search folders."""
    if root is not None:
        if not Path(root).is_dir():
            raise ConfigurationError(f"--project_root_path: {root} is no folder")
        os.chdir(root)
    if modules:
        load([name for name in modules.split(",") if name])
    if folders:
        discovery = facade().BoosterDiscovery
        discovery(Path.cwd(), [name for name in folders.split(",") if name], max_depth, py_file_re_str).auto_discovery()


def clear(queue_names: QueueNames, modules: Modules = None) -> None:
    """Delete the messages that wait on queues, without asking: `fsdf purge --yes`."""
    for name in queue_names:
        address = find(name, modules)
        address.queue.purge()
        say(f"{name} is cleared")


def consume(queue_names: QueueNames, modules: Modules = None) -> None:
    """Run these queues' tasks in this process: `fsdf worker MODULE -q QUEUE`."""
    boosters = chosen(_boosters(modules), queue_names, ())
    note(f"running {', '.join(queue_names)}; Ctrl-C ends")
    work_here(boosters)


def consume_all(modules: Modules = None) -> None:
    """Run all tasks in this process: `fsdf worker MODULE`."""
    boosters = chosen(_boosters(modules), (), ())
    note(f"running {', '.join(booster.queue_name for booster in boosters)}; Ctrl-C ends")
    work_here(boosters)


def mp_consume(context: typer.Context, modules: Modules = None) -> None:
    """Run queues' tasks in processes of their own: --QUEUE=NUMBER for each."""
    boosters = _boosters(modules)
    groups = []
    for word in context.args:
        name, equals, number = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals or not number.isdigit():
            raise ConfigurationError(f"write --QUEUE=NUMBER, such as --sums=2, not {word!r}")
        groups.append((chosen(boosters, [name], ()), name, number))
    if not groups:
        raise ConfigurationError("write --QUEUE=NUMBER for each queue, such as --sums=2")
    work_in_processes(groups, reload=False)


def mp_consume_all(
    process_num: Annotated[int, typer.Argument(min=1, help="Processes of each queue.")] = 1, modules: Modules = None
) -> None:
    """Run each queue's tasks in so many processes of their own."""
    boosters = chosen(_boosters(modules), (), ())
    work_in_processes([([each], each.queue_name, str(process_num)) for each in boosters], reload=False)


def show_all_queues(modules: Modules = None) -> None:
    """List all queues: `fsdf queues`."""
    queues(modules)


def _boosters(modules: list[str] | None) -> list[Booster[Any, Any]]:
    """Import what is named, else what decorates functions in the project, unless something is imported already."""
    patch_frame_config(log_console=True)
    found = load(modules or ())
    if not found:
        facade().BoosterDiscovery(max_depth=_DEPTH).auto_discovery()
        found = load(())
    return found

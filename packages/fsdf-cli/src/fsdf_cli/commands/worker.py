"""`fsdf worker`: run tasks."""

from __future__ import annotations

from typing import Annotated

import typer

from fsdf_cli.examples import examples
from fsdf_cli.output import note, print_json, print_table
from fsdf_cli.targets import load
from fsdf_cli.working import chosen, processes_of, work_here, work_in_processes
from fsdf_core.settings import patch_frame_config

EXAMPLES = examples(
    "fsdf worker app.tasks",
    "fsdf worker app/ --queue mails --queue sums --processes 2:8",
    "fsdf worker app.tasks --group nightly --concurrency 4 --qps 10",
    "fsdf worker app.tasks --reload",
)


def worker(
    targets: Annotated[list[str], typer.Argument(help="Modules (app.tasks), files (app/tasks.py) or folders (app/).")],
    queue: Annotated[list[str] | None, typer.Option("--queue", "-q", help="Only this queue; may be repeated.")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", "-g", help="Only this booster_group.")] = None,
    processes: Annotated[
        str | None, typer.Option("--processes", "-p", help="Worker processes: 3, or 2:8 by the queues' lengths.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-c", min=1, help="Calls at once in each consumer.")
    ] = None,
    qps: Annotated[float | None, typer.Option("--qps", min=0, help="Starts a second in each consumer; 0: any.")] = None,
    log_level: Annotated[str | None, typer.Option("--log-level", "-l", help="DEBUG, INFO, WARNING or ERROR.")] = None,
    *,
    reload: Annotated[bool, typer.Option("--reload", help="Replace worker processes when a file changes.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Only list the tasks that would run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: as JSON.")] = False,
) -> None:
    """Run the tasks of modules, files or folders, until Ctrl-C or SIGTERM; what runs then ends first."""
    settings = {"concurrent_num": concurrency, "qps": qps, "log_level": log_level}
    patch_frame_config(log_console=True, **{name: value for name, value in settings.items() if value is not None})
    boosters = chosen(load(targets), queue or (), group or ())
    if show:
        rows = [(b.queue_name, f"{b.__module__}.{b.__qualname__}", b.boost_params.booster_group) for b in boosters]
        if as_json:
            print_json([dict(zip(("queue", "function", "group"), row, strict=True)) for row in rows])
        else:
            print_table(("queue", "function", "group"), rows)
        return
    note(f"running {', '.join(booster.queue_name for booster in boosters)}; Ctrl-C ends")
    if processes is None and not reload:
        work_here(boosters)
        return
    processes_of(processes or "1")
    name = boosters[0].queue_name if len(boosters) == 1 else "worker"
    work_in_processes([(boosters, name, processes or "1")], reload=reload)

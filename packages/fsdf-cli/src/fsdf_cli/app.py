"""The command line: all commands of `fsdf`."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from fsdf_cli.commands import (
    bench,
    brokers,
    control,
    deploy,
    dlq,
    doctor,
    init,
    move,
    old_forms,
    publish,
    queues,
    result,
    schedule,
    web,
    worker,
    workers,
)
from fsdf_cli.mistakes import Commands
from fsdf_cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(
    name="fsdf",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_WORK, _QUEUES, _TASKS, _MORE = "Run tasks", "Queues", "Tasks", "Look after it"
_OLD = "As in older frameworks"
_ALL_ARGUMENTS = {"allow_interspersed_args": False, "ignore_unknown_options": True}

app.command("worker", rich_help_panel=_WORK, epilog=worker.EXAMPLES)(worker.worker)
app.add_typer(workers.group, name="workers", rich_help_panel=_WORK)
app.add_typer(deploy.group, name="deploy", rich_help_panel=_WORK)
app.add_typer(schedule.group, name="schedule", rich_help_panel=_WORK)
app.command("push", rich_help_panel=_TASKS, epilog=publish.PUSH_EXAMPLES, context_settings=_ALL_ARGUMENTS)(publish.push)
app.command("publish", rich_help_panel=_TASKS, epilog=publish.PUBLISH_EXAMPLES)(publish.publish)
app.command("result", rich_help_panel=_TASKS, epilog=result.EXAMPLES)(result.result)
app.command("kill", rich_help_panel=_TASKS, epilog=control.KILL_EXAMPLES)(control.kill)
app.command("queues", rich_help_panel=_QUEUES, epilog=queues.QUEUES_EXAMPLES)(queues.queues)
app.command("inspect", rich_help_panel=_QUEUES, epilog=queues.INSPECT_EXAMPLES)(queues.inspect)
app.command("purge", rich_help_panel=_QUEUES, epilog=control.PURGE_EXAMPLES)(control.purge)
app.command("pause", rich_help_panel=_QUEUES, epilog=control.PAUSE_EXAMPLES)(control.pause)
app.command("resume", rich_help_panel=_QUEUES, epilog=control.RESUME_EXAMPLES)(control.resume)
app.add_typer(dlq.group, name="dlq", rich_help_panel=_QUEUES)
app.command("move", rich_help_panel=_QUEUES, epilog=move.EXAMPLES)(move.move)
app.command("web", rich_help_panel=_MORE, epilog=web.EXAMPLES, context_settings=web.PASS_ON)(web.web)
app.command("brokers", rich_help_panel=_MORE, epilog=brokers.EXAMPLES)(brokers.brokers)
app.command("doctor", rich_help_panel=_MORE, epilog=doctor.EXAMPLES)(doctor.doctor)
app.command("bench", rich_help_panel=_MORE, epilog=bench.EXAMPLES)(bench.bench)
app.command("init", rich_help_panel=_MORE, epilog=init.EXAMPLES)(init.init)
app.command("clear", rich_help_panel=_OLD)(old_forms.clear)
app.command("continue_consume", rich_help_panel=_OLD)(control.resume)
_RENAMED: dict[str, Callable[..., None]] = {
    "consume": old_forms.consume,
    "consume_queues": old_forms.consume,
    "consume_all": old_forms.consume_all,
    "consume_all_queues": old_forms.consume_all,
    "mp_consume_all": old_forms.mp_consume_all,
    "show_all_queues": old_forms.show_all_queues,
}
for _name, _command in _RENAMED.items():
    app.command(_name, rich_help_panel=_OLD, hidden=_name.endswith("_queues") and _name != "show_all_queues")(_command)
for _name in ("mp_consume", "mp_consume_queues"):
    app.command(
        _name, rich_help_panel=_OLD, context_settings=old_forms.NUMBERS, hidden=_name != "mp_consume"
    )(old_forms.mp_consume)  # fmt: skip
for _name in ("start_web", "start_funboost_web_manager"):
    app.command(_name, rich_help_panel=_OLD, context_settings=web.PASS_ON, hidden=_name != "start_web")(web.web)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if asked:
        say(version("fsdf-cli"))
        raise typer.Exit


@app.callback()
def options(
    root: Annotated[str | None, typer.Option("--project_root_path", hidden=True)] = None,
    modules: Annotated[str | None, typer.Option("--import_modules_str", hidden=True)] = None,
    folders: Annotated[str | None, typer.Option("--booster_dirs_str", hidden=True)] = None,
    max_depth: Annotated[int, typer.Option("--max_depth", hidden=True)] = 1,
    py_file_re_str: Annotated[str | None, typer.Option("--py_file_re_str", hidden=True)] = None,
    *,
    show_version: Annotated[  # noqa: ARG001 - its callback has done all
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Run, watch and command distributed tasks.

    Settings come from FSDF_… in the environment and from fsdf_config.py: see fsdf doctor --config.

    Commands that read take --json. Status 0: done; 1: it did not work; 2: asked for wrongly; 3: no answer in time.
    """
    old_forms.prepare(root, modules, folders, max_depth, py_file_re_str)


def main() -> None:
    """Run the command line of this process."""
    app()

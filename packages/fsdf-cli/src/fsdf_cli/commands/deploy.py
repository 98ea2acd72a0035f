"""`fsdf deploy`: worker processes on other machines."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from fsdf_cli.examples import examples
from fsdf_cli.mistakes import FAILED
from fsdf_cli.output import AsJson, moment, note, print_json, print_table, say
from fsdf_cli.targets import load
from fsdf_cli.working import chosen, processes_of
from fsdf_core.config_modules import project_root
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf_cli.deployment import Server

EXAMPLES = examples(
    "fsdf deploy anna@worker1.example app.tasks --processes 4",
    'fsdf deploy worker1.example:2222 app/ -q mails --shell "source ~/venv/bin/activate" --env FSDF_REDIS_URL',
    "fsdf deploy status anna@worker1.example",
    "fsdf deploy logs anna@worker1.example -q mails",
    "fsdf deploy stop anna@worker1.example",
)
_PASSWORD = "FSDF_DEPLOY_PASSWORD"  # noqa: S105 - a variable's name


class _Deploy(TyperGroup):
    """`fsdf deploy ADDRESS …` is `fsdf deploy to ADDRESS …`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command of the first word."""
        if args and args[0] not in self.commands:
            args = ["to", *args]
        return super().resolve_command(ctx, args)


group = typer.Typer(
    cls=_Deploy,
    help="Run worker processes on other machines, over SSH: fsdf deploy ADDRESS MODULES…",
    epilog=EXAMPLES,
    no_args_is_help=True,
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
)
Address = Annotated[str, typer.Argument(help="[USER@]HOST[:PORT]", metavar="ADDRESS")]
Queue = Annotated[str | None, typer.Option("--queue", "-q", help="Only this queue's deployment.")]
Folder = Annotated[
    str | None,
    typer.Option("--remote-dir", help="The project's folder on the server.", show_default="codes/<this project>"),
]
Key = Annotated[Path | None, typer.Option("--key", help="File of a private key.", show_default="as ssh does")]
AskPassword = Annotated[bool, typer.Option("--ask-password", help=f"Ask for the password; else {_PASSWORD} may be it.")]
HostKey = Annotated[str | None, typer.Option("--host-key", help="The server's public key or SHA256:… fingerprint.")]
AnyHost = Annotated[
    bool, typer.Option("--no-host-key-check", help="Trust any server. Whoever is between can read all.")
]
Processes = Annotated[str, typer.Option("--processes", "-p", help="Worker processes: 4, or 2:8 by load.")]


@group.command("to", epilog=EXAMPLES)
def to(
    address: Address,
    targets: Annotated[list[str], typer.Argument(help="Modules (app.tasks), files (app/tasks.py) or folders (app/).")],
    queue: Annotated[list[str] | None, typer.Option("--queue", "-q", help="Only this queue; may be repeated.")] = None,
    processes: Processes = "1",
    python: Annotated[str, typer.Option("--python", help="The server's Python, which has fsdf.")] = "python3",
    shell: Annotated[
        list[str] | None, typer.Option("--shell", help="Shell line to run before; may be repeated.")
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="Name of a variable here that the processes get; may be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Regular expression of paths that stay here.")
    ] = None,
    project: Annotated[Path | None, typer.Option("--project", help="Folder to upload.")] = None,
    remote_dir: Folder = None,
    start_timeout: Annotated[float, typer.Option(help="Seconds to begin to consume.")] = 60.0,
    stop_timeout: Annotated[float, typer.Option(help="Seconds for the running tasks of an earlier deployment.")] = 60.0,
    key: Key = None,
    host_key: HostKey = None,
    *,
    ask_password: AskPassword = False,
    no_host_key_check: AnyHost = False,
    as_json: AsJson = False,
) -> None:
    """Upload the project, run its functions there, replace an earlier deployment. The word "to" may be left out."""
    from fsdf_cli.deployment import DeployOptions, fabric_deploy  # noqa: PLC0415 - only this command needs it

    server = _server(address, key, host_key, ask_password=ask_password, any_host=no_host_key_check)
    least, most = processes_of(processes)
    missing = [name for name in env or () if name not in os.environ]
    if missing:
        raise ConfigurationError(f"--env takes names of variables that are set here; {', '.join(missing)}: not set")
    options = DeployOptions(
        process_num=least,
        max_process_num=most,
        project_dir=project,
        remote_dir=remote_dir,
        python=python,
        extra_shell_str=shell or (),
        env={name: os.environ[name] for name in env or ()},
        path_pattern_excluded_tuple=exclude or (),
        start_timeout=start_timeout,
        stop_timeout=stop_timeout,
    )
    done = []
    for booster in chosen(load(targets), queue or (), ()):
        if not as_json:
            note(f"{booster.queue_name}: deploying to {server.host}")
        done.append(dataclasses.asdict(fabric_deploy(booster, server, options)))
    if as_json:
        print_json(done)
        return
    for each in done:
        earlier = f", the earlier processes: {each['before']}" if each["before"] else ""
        say(f"{each['name']}: runs, pid {each['pid']}, {len(each['uploaded'])} file(s) uploaded{earlier}")


@group.command(epilog=examples("fsdf deploy status deploy@alpha"))
def status(
    address: Address,
    queue: Queue = None,
    remote_dir: Folder = None,
    key: Key = None,
    host_key: HostKey = None,
    *,
    ask_password: AskPassword = False,
    no_host_key_check: AnyHost = False,
    as_json: AsJson = False,
) -> None:
    """Tell what is deployed. Status 1 if something of it does not run."""
    from fsdf_cli import deployment  # noqa: PLC0415 - as above

    server = _server(address, key, host_key, ask_password=ask_password, any_host=no_host_key_check)
    told = deployment.status(server, _folder(remote_dir), _name(queue))
    if as_json:
        print_json(told)
    else:
        rows = [
            (
                each["name"], "runs" if each["running"] else "stopped", each.get("pid"), each.get("processes"),
                moment(each.get("since")), each.get("module"),
            )
            for each in told
        ]  # fmt: skip
        print_table(("name", "state", ">pid", ">processes", "since", "module"), rows, empty="nothing")
    if not all(each["running"] for each in told):
        raise typer.Exit(FAILED)


@group.command(epilog=examples("fsdf deploy logs deploy@alpha --queue sums -n 50"))
def logs(
    address: Address,
    queue: Queue = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 100,
    remote_dir: Folder = None,
    key: Key = None,
    host_key: HostKey = None,
    *,
    ask_password: AskPassword = False,
    no_host_key_check: AnyHost = False,
    as_json: AsJson = False,
) -> None:
    """Show the last lines that the processes have written."""
    from fsdf_cli import deployment  # noqa: PLC0415 - as above

    server = _server(address, key, host_key, ask_password=ask_password, any_host=no_host_key_check)
    found = deployment.logs(server, _folder(remote_dir), _name(queue), lines)
    if as_json:
        print_json(found)
        return
    for name, written in found.items():
        for line in written:
            say(line if len(found) == 1 else f"{name}: {line}")


@group.command(epilog=examples("fsdf deploy stop deploy@alpha --queue sums"))
def stop(
    address: Address,
    queue: Queue = None,
    stop_timeout: Annotated[float, typer.Option(help="Seconds for the running tasks.")] = 60.0,
    remote_dir: Folder = None,
    key: Key = None,
    host_key: HostKey = None,
    *,
    ask_password: AskPassword = False,
    no_host_key_check: AnyHost = False,
    as_json: AsJson = False,
) -> None:
    """End the processes, when their running tasks have ended."""
    from fsdf_cli import deployment  # noqa: PLC0415 - as above

    server = _server(address, key, host_key, ask_password=ask_password, any_host=no_host_key_check)
    ended = deployment.stop(server, _folder(remote_dir), _name(queue), stop_timeout)
    if as_json:
        print_json(ended)
    else:
        for name, how in ended.items():
            say(f"{name}: {how}")


def _server(address: str, key: Path | None, host_key: str | None, *, ask_password: bool, any_host: bool) -> Server:
    from fsdf_cli.deployment import Server  # noqa: PLC0415 - as above

    password = typer.prompt("Password", hide_input=True, err=True) if ask_password else os.environ.get(_PASSWORD)
    return Server.parse(address, password=password, key=key, host_key=host_key, check_host_key=not any_host)


def _folder(given: str | None) -> str:
    from fsdf_cli.deployment import remote_folder  # noqa: PLC0415 - as above

    return remote_folder(given, project_root())


def _name(queue: str | None) -> Any:
    from fsdf_cli.deployment import name_of_queue  # noqa: PLC0415 - as above

    return None if queue is None else name_of_queue(queue)

"""`fsdf schedule`: calls that are published at certain times."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from fsdf_cli.addresses import QUEUE_HELP, find, queue_names
from fsdf_cli.call_arguments import named, parsed
from fsdf_cli.examples import examples
from fsdf_cli.output import AsJson, moment, note, print_json, print_table, say
from fsdf_cli.targets import Modules, facade
from fsdf_core import lifecycle
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from fsdf.schedule_manager import ScheduleManager
    from fsdf.scheduled_job import ScheduledJob

EXAMPLES = examples(
    "fsdf schedule add --every 30s --id beat sums 1 2",
    'fsdf schedule add --cron "*/5 8-18 * * mon-fri" mails --to=ann',
    'fsdf schedule add --at "2027-01-01 00:00:00" mails --to=all',
    "fsdf schedule start",
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FIELDS = ("minute", "hour", "day", "month", "day_of_week")

group = typer.Typer(help="Publish calls at certain times.", no_args_is_help=True, epilog=EXAMPLES)
JobId = Annotated[str, typer.Argument(metavar="ID", help="The schedule's id.")]


@group.command("list", epilog=examples("fsdf schedule list", "fsdf schedule list --json"))
def list_(*, as_json: AsJson = False) -> None:
    """List the schedules of all processes."""
    jobs = _manager().get_jobs()
    if as_json:
        print_json([_plain(job) for job in jobs])
        return
    rows = [
        (job.id, job.queue_name, _when(job), _text(job.kwargs), "paused" if job.paused else moment(_next(job)))
        for job in jobs
    ]
    print_table(("id", "queue", "when", "arguments", "next"), rows, empty="no schedules")


@group.command(context_settings={"allow_interspersed_args": False}, epilog=EXAMPLES)
def add(
    queue: Annotated[str, typer.Argument(help=QUEUE_HELP, autocompletion=queue_names)],
    words: Annotated[list[str] | None, typer.Argument(metavar="[ARG]... [--NAME=VALUE]...", help="The call.")] = None,
    every: Annotated[str | None, typer.Option("--every", help="An interval: 30s, 5m, 2h, 1d, 1w.")] = None,
    cron: Annotated[str | None, typer.Option("--cron", help="Five fields: minute hour day month day-of-week.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="A moment: 2027-01-01 12:00:00.")] = None,
    job_id: Annotated[str | None, typer.Option("--id", help="Its id; else made of queue, times and arguments.")] = None,
    modules: Modules = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the schedule of that id.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a schedule; some process must run a scheduler: `fsdf schedule start`. Options stand before the queue."""
    address = find(queue, modules)
    address.require_reachable()
    args, kwargs = parsed(words or ())
    trigger, arguments = _trigger(every, cron, at)
    if not address.imported:
        args, kwargs = [], named(address.known, args, kwargs)
    try:
        job = _manager().add(address.booster, trigger, args, kwargs, job_id, replace, **arguments)
    except TypeError as error:
        raise ConfigurationError(f"{address.known.name}: {error}") from None
    if job is None:
        raise ConfigurationError("its time is past")
    if as_json:
        print_json(_plain(job))
    else:
        say(f"{job.id}: next {moment(_next(job))}")


@group.command(epilog=examples("fsdf schedule pause beat"))
def pause(job_id: JobId) -> None:
    """Let a schedule publish nothing until it is resumed."""
    _job(job_id).pause()
    say(f"{job_id} is paused")


@group.command(epilog=examples("fsdf schedule resume beat"))
def resume(job_id: JobId) -> None:
    """Let a schedule publish again; what it missed is not made up for."""
    _job(job_id).resume()
    say(f"{job_id} goes on")


@group.command(epilog=examples("fsdf schedule remove beat"))
def remove(job_id: JobId) -> None:
    """Delete a schedule."""
    _job(job_id).remove()
    say(f"{job_id} is removed")


@group.command(epilog=examples("fsdf schedule run beat"))
def run(job_id: JobId, *, as_json: AsJson = False) -> None:
    """Publish a schedule's call now, besides its times."""
    task_id = _manager().run_job(_job(job_id).id)
    if as_json:
        print_json({"task_id": task_id})
    else:
        say(task_id)


@group.command(epilog=examples("fsdf schedule start"))
def start() -> None:
    """Publish what is due, until Ctrl-C or SIGTERM; of several schedulers one works, and the others take over."""
    manager = _manager()
    lifecycle.install_signal_handlers()
    manager.start()
    note("publishing what is due; Ctrl-C ends")
    pause = threading.Event()
    try:
        # A wait without end cannot be interrupted on Windows.
        while not pause.wait(0.5):
            pass
    finally:
        manager.shutdown()


def _manager() -> ScheduleManager:
    facade()
    from fsdf.schedule_manager import manager  # noqa: PLC0415 - only these commands need it

    return manager("sql")


def _job(job_id: str) -> ScheduledJob:
    manager = _manager()
    job = manager.get_job(job_id)
    if job is None:
        raise UnknownName(f"no schedule {job_id!r}.{did_you_mean(job_id, [each.id for each in manager.get_jobs()])}")
    return job


def _trigger(every: str | None, cron: str | None, at: str | None) -> tuple[str, dict[str, Any]]:
    if sum(given is not None for given in (every, cron, at)) != 1:
        raise ConfigurationError("say when: one of --every, --cron and --at")
    if every is not None:
        number, unit = every[:-1], _UNITS.get(every[-1:])
        try:
            return "interval", {unit: float(number)} if unit else {"seconds": float(every)}
        except ValueError:
            raise ConfigurationError(
                f"--every takes a number and s, m, h, d or w, such as 30s; not {every!r}"
            ) from None
    if cron is not None:
        fields = cron.split()
        if len(fields) != len(_FIELDS):
            raise ConfigurationError(f"--cron takes five fields, minute hour day month day-of-week; not {cron!r}")
        return "cron", dict(zip(_FIELDS, fields, strict=True))
    return "date", {"run_date": at}


def _plain(job: ScheduledJob) -> dict[str, Any]:
    schedule = job.schedule
    return {
        "id": job.id,
        "queue": job.queue_name,
        "broker_kind": schedule.broker_kind,
        "trigger": schedule.trigger.kind,
        "when": schedule.trigger.arguments,
        "arguments": job.kwargs,
        "paused": job.paused,
        "next": _next(job),
    }


def _next(job: ScheduledJob) -> float | None:
    moment_ = job.next_run_time
    return None if moment_ is None else moment_.timestamp()


def _when(job: ScheduledJob) -> str:
    trigger = job.schedule.trigger
    shown = {name: value for name, value in trigger.arguments.items() if name not in {"timezone", "start_date"}}
    return f"{trigger.kind} {' '.join(f'{name}={value}' for name, value in shown.items())}"


def _text(arguments: dict[str, Any]) -> str:
    return orjson.dumps(arguments, default=str).decode()

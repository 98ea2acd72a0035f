"""`fsdf doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fsdf_cli.addresses import described, roster
from fsdf_cli.checkup.connections import connections
from fsdf_cli.checkup.machine import machine
from fsdf_cli.checkup.tasks import tasks
from fsdf_cli.examples import examples
from fsdf_cli.mistakes import FAILED, troubles
from fsdf_cli.output import AsJson, print_json, print_table
from fsdf_cli.targets import Modules, load
from fsdf_core.setting_origins import setting_origins, unknown_names

if TYPE_CHECKING:
    from fsdf_cli.checkup.finding import Finding

EXAMPLES = examples(
    "fsdf doctor",
    "fsdf doctor -i app.tasks",
    "fsdf doctor --config",
)
_SIGNS = {"good": "ok", "risk": "RISK", "fault": "FAULT"}


def doctor(
    modules: Modules = None,
    *,
    config: Annotated[bool, typer.Option("--config", help="Show the settings and where they come from.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, connections, server versions and tasks; say what to do. Status 1 if something does not work."""
    if config:
        _config(as_json=as_json)
        return
    findings = list(machine())
    if not any(finding.level == "fault" and finding.subject == "settings" for finding in findings):
        try:
            known = {queue.name: queue for queue in roster().queues()}
        except troubles():
            known = {}  # the check of the state store says why
        known |= {booster.queue_name: described(booster) for booster in load(modules or ())}
        findings += [*connections(list(known.values())), *tasks(list(known.values()))]
    _show(findings, as_json=as_json)
    if any(finding.level == "fault" for finding in findings):
        raise typer.Exit(FAILED)


def _show(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        print_json(findings)
        return
    rows = [(_SIGNS[each.level], each.subject, each.detail, each.cure) for each in findings]
    print_table(("", "what", "seen", "to do"), rows)


def _config(*, as_json: bool) -> None:
    origins = setting_origins()
    if as_json:
        print_json([origin._asdict() for origin in origins])
        return
    rows = [(each.name.upper(), each.value, each.source, each.spelling, each.path) for each in origins]
    print_table(("setting", "value", "from", "as", "file"), rows)
    for line in unknown_names():
        typer.echo(line)

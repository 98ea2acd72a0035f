"""`fsdf brokers`: what each broker can do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fsdf_cli.examples import examples
from fsdf_cli.output import AsJson, print_json, print_table
from fsdf_core.errors import ConfigurationError
from fsdf_core.registry import brokers as registry

EXAMPLES = examples("fsdf brokers", "fsdf brokers --json | jq '.[] | select(.priority) | .broker'")
_HEADINGS = ("broker", "durable", "acks", "counts", "delay", "priority", "size", "shared by", "order", "proof of life")


def brokers(*, as_json: AsJson = False) -> None:
    """List the installed brokers and what they can do."""
    found: list[tuple[str, Any]] = []
    for name in registry.names():
        try:
            found.append((name, registry.get(name).capabilities))
        except ConfigurationError as error:
            found.append((name, str(error)))
    if as_json:
        print_json(
            [
                {"broker": name, "missing": can} if isinstance(can, str) else {"broker": name, **asdict(can)}
                for name, can in found
            ]
        )
        return
    print_table(_HEADINGS, [_row(name, can) for name, can in found])


def _row(name: str, can: Any) -> tuple[str, ...]:
    if isinstance(can, str):
        return (name, can)
    shared = "hosts" if can.cross_machine else "processes" if can.cross_process else "threads"
    answers = (can.durable, can.acks, can.delivery_count, can.delay, can.priority, can.size)
    return (name, *("yes" if answer else "no" for answer in answers), shared, can.ordering, can.liveness)

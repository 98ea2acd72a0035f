"""The capability matrix: what every installed broker can do, as a Markdown table. Needs no server."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points, requires
from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError, MissingDependency
from fsdf_core.registry import brokers

if TYPE_CHECKING:
    from fsdf_core.broker import Capabilities

HEADINGS = (
    "`broker_kind`",
    "client library",
    "`pip install`",
    "durable",
    "acks",
    "counts deliveries",
    "delay",
    "priority",
    "size",
    "purge",
    "shared by",
    "order",
    "proof of life",
    "lost at a crash",
)

BEGIN = "<!-- The table is written by `hatch run docs`. -->"
END = "<!-- End of the table. -->"

_ANSWERS = {True: "yes", False: "no"}


def table() -> str:
    """Return the matrix of all installed entry points of `fsdf.brokers`, by name.

    A kind whose client library is missing has a row that says how to install it.
    """
    points = sorted(entry_points(group="fsdf.brokers"), key=lambda point: point.name)
    rows = [HEADINGS, ("---",) * len(HEADINGS), *map(_row, points)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def rewritten(text: str) -> str:
    """Return a page with the matrix between its two marks.

    Raises:
        ConfigurationError: the page does not have both marks, once, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ConfigurationError(f"the page needs these two lines, once, in this order: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def client_of(point: EntryPoint) -> tuple[str, str]:
    """Return the client libraries of a kind and the extra that installs them; empty where it needs none."""
    extra = point.extras[0] if point.extras else point.name.partition("_")[0].lower()
    mark = re.compile(rf"""extra == ['"]{re.escape(extra)}['"]""")
    wanted = requires(point.dist.name) or [] if point.dist else []
    libraries = [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in wanted if mark.search(one)]
    return (", ".join(libraries), extra) if libraries else ("", "")


def _row(point: EntryPoint) -> tuple[str, ...]:
    library, extra = client_of(point)
    install = f"`fsdf[{extra}]`" if extra else "`fsdf`"
    start = (f"`{point.name}`", library or "none", install)
    try:
        can = brokers.get(point.name).capabilities
    except (MissingDependency, ConfigurationError) as error:
        return (*start, str(error).replace("|", "\\|"), *[""] * (len(HEADINGS) - len(start) - 1))
    return (
        *start,
        _ANSWERS[can.durable],
        _ANSWERS[can.acks],
        _ANSWERS[can.delivery_count],
        "by the broker" if can.delay else "by the consumer",
        _ANSWERS[can.priority],
        _ANSWERS[can.size],
        _ANSWERS[can.purge],
        _reach(can),
        can.ordering,
        can.liveness,
        _lost(can),
    )


def _reach(can: Capabilities) -> str:
    if can.cross_machine:
        return "hosts"
    return "processes" if can.cross_process else "threads"


def _lost(can: Capabilities) -> str:
    if not can.durable and not can.cross_process:
        return "all, with the process"
    return "nothing" if can.acks else "what the worker held"

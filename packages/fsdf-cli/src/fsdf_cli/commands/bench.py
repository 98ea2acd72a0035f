"""`fsdf bench`: how fast this machine and this broker are, roughly."""

from __future__ import annotations

import secrets
import statistics
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsdf_cli.addresses import roster
from fsdf_cli.examples import examples
from fsdf_cli.output import AsJson, print_json, print_table
from fsdf_cli.targets import facade
from fsdf_core.errors import ConsumerError
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from fsdf.booster import Booster

EXAMPLES = examples(
    "fsdf bench",
    "fsdf bench --broker REDIS_ACK_ABLE --messages 50000 --concurrency 10",
)
_PROBES = 100
_PATIENCE = 120.0


class Arrivals:
    """Counts the tasks that have run."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def add(self) -> None:
        """One more."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_for(self, count: int) -> float:
        """Wait until so many have run; return the time.

        Raises:
            ConsumerError: they have not, within 2 min.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._count >= count, _PATIENCE):
                raise ConsumerError(f"only {self._count} of {count} tasks ran within {_PATIENCE:g} s")
            return time.perf_counter()


def bench(
    broker: Annotated[str | None, typer.Option("--broker", "-b", help="The broker; else the setting's.")] = None,
    messages: Annotated[int, typer.Option("--messages", "-n", min=1, help="How many.")] = 5000,
    concurrency: Annotated[int, typer.Option("--concurrency", "-c", min=1, help="Threads that run them.")] = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Publish and consume tasks that do nothing, on a queue of their own, and print the figures."""
    arrivals = Arrivals()

    def task(number: int) -> None:  # noqa: ARG001 - what a task takes
        arrivals.add()

    name = f"fsdf_bench_{secrets.token_hex(4)}"
    booster: Booster[Any, Any] = facade().BoosterParams(
        queue_name=name, broker_kind=broker or get_settings().broker, concurrent_num=concurrency, log_level="WARNING"
    )(task)
    try:
        figures = {"broker": booster.publisher.queue().broker.__class__.__name__, "messages": messages}
        figures |= _measured(booster, arrivals, messages)
    finally:
        booster.stop(1.0)
        if booster.publisher.queue().broker.capabilities.purge:
            booster.clear()
        roster().forget_queue(name)
    if as_json:
        print_json(figures)
    else:
        print_table(("", ""), [(key.replace("_", " "), value) for key, value in figures.items()])


def _measured(booster: Booster[Any, Any], arrivals: Arrivals, messages: int) -> dict[str, Any]:
    begun = time.perf_counter()
    if booster.publisher.queue().broker.capabilities.durable:
        booster.push_many((number,) for number in range(messages))
        published = time.perf_counter()
        booster.consume()
        consuming = time.perf_counter()
    else:
        # What nobody listens to may be lost.
        booster.consume()
        begun = consuming = time.perf_counter()
        booster.push_many((number,) for number in range(messages))
        published = time.perf_counter()
    consumed = arrivals.wait_for(messages)
    latencies = []
    for probe in range(1, _PROBES + 1):
        sent = time.perf_counter()
        booster.push(probe)
        latencies.append((arrivals.wait_for(messages + probe) - sent) * 1000)
    return {
        "published_a_second": round(messages / (published - begun)),
        "consumed_a_second": round(messages / (consumed - consuming)),
        "milliseconds_from_push_to_run_median": round(statistics.median(latencies), 2),
        "milliseconds_from_push_to_run_95_percent": round(statistics.quantiles(latencies, n=20)[-1], 2),
    }

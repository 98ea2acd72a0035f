"""The figures that fsdf has to reach, as ratios within one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.rounds import CONSUME, IDLE, LATENCY, LATENCY_99, PUBLISH_BULK, PUBLISH_ONE
from benchmarks.rounds import MEMORY as MEMORY_PEAK
from benchmarks.systems import KAFKA, MEMORY, RABBITMQ, REDIS, REDIS_STREAM, SQLITE

if TYPE_CHECKING:
    from benchmarks.rounds import Results


class Target(NamedTuple):
    """fsdf's figure against another driver's; without one, against the number itself, as a maximum.

    Attributes:
        transport: where.
        measure: fsdf's.
        number: the least ratio; without a rival the largest figure.
        rival: driver that fsdf is measured by.
        against: the rival's measure, if it is another.
        most: the ratio is a maximum.
        or_rate: messages a second that are enough, whatever the ratio.
    """

    transport: str
    measure: str
    number: float
    rival: str | None = None
    against: str | None = None
    most: bool = False
    or_rate: float | None = None


class Verdict(NamedTuple):
    """One line of the report; `reached` is None where a figure is missing."""

    text: str
    reached: bool | None


TIMES = "\N{MULTIPLICATION SIGN}"
RIVALS = {
    MEMORY: ("funboost", "hand_queue", "hand_deque"),
    SQLITE: ("funboost", "funboost_full", "hand_sqlite"),
    REDIS: (
        "funboost",
        "celery",
        "dramatiq",
        "taskiq_redis",
        "huey",
        "hand_redis",
        "hand_redis_wire",
        "hand_redis_list",
    ),
    REDIS_STREAM: ("funboost", "hand_stream"),
    RABBITMQ: ("funboost", "celery", "dramatiq", "hand_rabbitmq"),
    KAFKA: ("funboost", "hand_kafka"),
}

TARGETS = (
    Target(MEMORY, CONSUME, 8, "funboost"),
    Target(MEMORY, PUBLISH_ONE, 1, "funboost"),
    Target(MEMORY, CONSUME, 0.4, "hand_queue"),
    Target(MEMORY, CONSUME, 0.4, "hand_deque"),
    Target(MEMORY, IDLE, 1),
    # With equal durability even the loop by hand is not 8 times faster: one commit a message is the cost.
    Target(SQLITE, PUBLISH_ONE, 8, "funboost_full"),
    Target(SQLITE, CONSUME, 15, "funboost"),
    Target(SQLITE, CONSUME, 0.4, "hand_sqlite"),
    Target(SQLITE, IDLE, 1),
    Target(REDIS, CONSUME, 10, "funboost"),
    Target(REDIS, CONSUME, 20, "dramatiq"),
    Target(REDIS, CONSUME, 20, "taskiq_redis"),
    Target(REDIS, CONSUME, 50, "celery"),
    Target(REDIS, CONSUME, 0.4, "hand_redis_wire"),
    Target(REDIS, CONSUME, 0.4, "hand_redis"),
    Target(REDIS, PUBLISH_ONE, 0.9, "hand_redis"),
    Target(REDIS, PUBLISH_BULK, 15, "hand_redis", against=PUBLISH_ONE),
    Target(REDIS, LATENCY, 1),
    Target(REDIS, LATENCY_99, 3),
    Target(REDIS, IDLE, 1),
    Target(REDIS, MEMORY_PEAK, 1, "funboost", most=True),
    Target(REDIS_STREAM, CONSUME, 10, "funboost"),
    Target(REDIS_STREAM, IDLE, 1),
    Target(RABBITMQ, CONSUME, 4, "dramatiq"),
    Target(RABBITMQ, CONSUME, 4, "celery"),
    Target(RABBITMQ, IDLE, 1),
    Target(KAFKA, CONSUME, 0.4, "hand_kafka", or_rate=50_000),
    Target(KAFKA, IDLE, 1),
)

NAMES = {MEMORY_PEAK: "peak memory", LATENCY: "latency, median,", LATENCY_99: "latency, 99th percentile,"}
UNITS = {IDLE: " % of a core", LATENCY: " ms", LATENCY_99: " ms"}


def compare(results: Results) -> list[str]:
    """Return one line a transport and measure: fsdf as a multiple of its rivals."""
    lines = []
    for transport, rivals in RIVALS.items():
        for measure in (PUBLISH_ONE, PUBLISH_BULK, CONSUME):
            own = results.median("fsdf", transport, measure)
            ratios = [
                f"{own / other:.2f}{TIMES} {rival}"
                for rival in rivals
                if own and (other := results.median(rival, transport, measure))
            ]
            if ratios:
                lines.append(f"{transport}: fsdf {measure.replace('_', ' ')} = {', '.join(ratios)}")
    return lines


def judge(results: Results) -> list[Verdict]:
    """Return a verdict for each target."""
    return [_judge(target, results) for target in TARGETS]


def _judge(target: Target, results: Results) -> Verdict:
    measure = NAMES.get(target.measure, target.measure.replace("_", " "))
    own = results.median("fsdf", target.transport, target.measure)
    if target.rival is None:
        unit = UNITS[target.measure]
        text = f"{target.transport}: fsdf {measure} < {target.number:g}{unit}"
        return _verdict(text, own, None if own is None else own < target.number, unit)
    sign = "\N{LESS-THAN OR EQUAL TO}" if target.most else "\N{GREATER-THAN OR EQUAL TO}"
    text = f"{target.transport}: fsdf {measure} {sign} {target.number:g}{TIMES} {target.rival}"
    if target.against:
        text += f" {target.against.replace('_', ' ')}"
    if target.or_rate:
        text += f" or {target.or_rate:,.0f}/s"
    rival = results.median(target.rival, target.transport, target.against or target.measure)
    ratio = own / rival if own is not None and rival else None
    return _verdict(text, ratio, _reached(target, own, ratio), TIMES)


def _reached(target: Target, own: float | None, ratio: float | None) -> bool | None:
    if own is not None and target.or_rate and own >= target.or_rate:
        return True
    if ratio is None:
        return None
    return ratio <= target.number if target.most else ratio >= target.number


def _verdict(text: str, value: float | None, reached: bool | None, unit: str) -> Verdict:  # noqa: FBT001
    return Verdict(f"{text}: {'not measured' if value is None else f'{value:.2f}{unit}'}", reached)

"""The figures that fsdf has to reach, as ratios within one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.rounds import CONSUME, IDLE, PUBLISH_BULK, PUBLISH_ONE
from benchmarks.systems import MEMORY, SQLITE

if TYPE_CHECKING:
    from benchmarks.rounds import Results


class Target(NamedTuple):
    """fsdf's figure against another driver's; without one, against the number itself, as a maximum."""

    transport: str
    measure: str
    number: float
    rival: str | None = None


class Verdict(NamedTuple):
    """One line of the report; `reached` is None where a figure is missing."""

    text: str
    reached: bool | None


TIMES = "\N{MULTIPLICATION SIGN}"
RIVALS = {
    MEMORY: ("funboost", "hand_queue", "hand_deque"),
    SQLITE: ("funboost", "funboost_full", "hand_sqlite"),
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
)


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
    measure = target.measure.replace("_", " ")
    own = results.median("fsdf", target.transport, target.measure)
    if target.rival is None:
        text = f"{target.transport}: fsdf {measure} < {target.number:g} % of a core"
        return _verdict(text, own, None if own is None else own < target.number, " %")
    text = f"{target.transport}: fsdf {measure} ≥ {target.number:g}{TIMES} {target.rival}"
    rival = results.median(target.rival, target.transport, target.measure)
    ratio = own / rival if own is not None and rival else None
    return _verdict(text, ratio, None if ratio is None else ratio >= target.number, TIMES)


def _verdict(text: str, value: float | None, reached: bool | None, unit: str) -> Verdict:  # noqa: FBT001
    return Verdict(f"{text}: {'not measured' if value is None else f'{value:.2f}{unit}'}", reached)

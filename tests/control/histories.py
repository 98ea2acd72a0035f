"""Random histories: calls with their plans, controls with their parameters, and what happens to the consumer."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import orjson
from hypothesis import strategies as st

from .pools import GREEN

LONG_AGO = 1000.0
SPIN = 0.06
"""Seconds that a call which does not end by itself may run."""

MOST_SPINS = 3

STEPS = ("ok", "error", "never", "retry", "requeue", "dead", "spin", "exit")
ENDS = ("ok", "ok", "ok", "error", "never", "dead")
OPTIONS: tuple[dict[str, Any], ...] = (
    {"countdown": 0.0},
    {"countdown": 0.04},
    {"countdown": 0.04, "publish_time": "yesterday"},
    {"countdown": 0.02, "misfire_grace_time": 3600},
    {"eta": "1971-02-03 04:05:06+00:00", "misfire_grace_time": 5},
    {"misfire_grace_time": []},
    {"publish_time": LONG_AGO, "msg_expire_seconds": 60},
    {"publish_time": LONG_AGO},
    {"msg_expire_seconds": 3600},
    {"msg_expire_seconds": "soon"},
    {"max_retry_times": 0},
    {"max_retry_times": 1},
    {"max_retry_times": "many"},
    {"max_retry_times": None},
    {"_advanced_retry_count": 1},
    {"_advanced_retry_count": "x"},
    {"do_task_filtering": False},
    {"do_task_filtering": "yes"},
    {"filter_str": "equal"},
    {"filter_str": 5},
    {"function_timeout": "x"},
    {"function_timeout": 0},
    {"priority": "high"},
)
UNDECODABLE = (b"\xffjunk %d", b"[%d]", b'{"extra": %d}', b"", b'{"n": %d')


@dataclass(frozen=True)
class Call:
    """One message: what its runs do, one after the other, the last one for ever; and how it is sent.

    Attributes:
        form: "published", "raw" (a foreign producer that sends options) or "bare" (one that knows of none).
        equal: tasks with the same number here are equal; None: to no other.
    """

    n: int
    plan: tuple[str, ...]
    form: str
    options: dict[str, Any]
    site: int
    equal: int | None
    priority: int
    killed: bool

    @property
    def arguments(self) -> dict[str, Any]:
        return {"n": self.n, "site": self.site, "same": 1000 + self.n if self.equal is None else self.equal}

    @property
    def task_id(self) -> str | int:
        return self.n if self.form == "raw" else f"task-{self.n}"


@dataclass(frozen=True)
class Event:
    """What happens after so many more starts: "stop", "crash", "pause", "kill" (of `target`).

    Or after so many operations at broker and store: "fuse", a crash.
    """

    kind: str
    after: int
    target: int


@dataclass(frozen=True)
class History:
    """All of it. `controls` has the names in their order, and their parameters."""

    calls: tuple[Call, ...]
    junk: tuple[bytes, ...]
    controls: dict[str, dict[str, Any]]
    workers: int
    coroutines: bool
    batch: int
    broker_delays: bool
    short_way: bool
    max_deliveries: int
    events: tuple[Event, ...]

    def count(self, *kinds: str) -> int:
        return sum(event.kind in kinds for event in self.events)

    @property
    def crashes(self) -> int:
        return self.count("crash", "fuse")


seconds = st.sampled_from([0.0, 0.001, 0.01])
CONTROLS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "Expire": st.fixed_dictionaries({"seconds": st.sampled_from([0, 3600])}),
    "Delay": st.just({}),
    "Filter": st.fixed_dictionaries({"enabled": st.booleans(), "ttl": st.sampled_from([None, 3600])}),
    "KeyConcurrency": st.fixed_dictionaries({"limit": st.integers(1, 3), "shared": st.booleans()}),
    "RateLimit": st.fixed_dictionaries({"qps": st.sampled_from([1000, 5000])}),
    "Quota": st.fixed_dictionaries({"mode": st.sampled_from(["fixed", "sliding"]), "shared": st.booleans()}),
    "Retry": st.fixed_dictionaries(
        {
            "max_retries": st.integers(0, 3),
            "backoff": st.sampled_from([None, 0.0, 0.005]),
            "wait": st.sampled_from(["worker", "queue"]),
            "never": st.booleans(),
            "dead_letter": st.booleans(),
        }
    ),
    "Requeue": st.fixed_dictionaries({"delay": seconds}),
    "DeadLetterOnRequest": st.just({}),
    "Timeout": st.fixed_dictionaries({"seconds": st.sampled_from([None, 30])}),
    "CircuitBreaker": st.fixed_dictionaries(
        {
            "strategy": st.sampled_from(["consecutive", "rate"]),
            "failure_threshold": st.integers(1, 5),
            "half_open_max_calls": st.integers(1, 3),
            "fallback": st.sampled_from([False, False, True]),
            "shared": st.booleans(),
        }
    ),
    "Statistics": st.just({}),
    "RunReport": st.just({}),
    "Pause": st.just({}),
    "TimeWindow": st.just({}),
    "RemoteKill": st.just({}),
}


@st.composite
def controls(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Draw some controls in any order; `RemoteKill` must stand before `Retry`, as its documentation says."""
    names = draw(st.lists(st.sampled_from(sorted(CONTROLS)), unique=True, max_size=len(CONTROLS)))
    if "RemoteKill" in names and "Retry" in names:
        kill, retry = sorted((names.index("RemoteKill"), names.index("Retry")))
        names[kill], names[retry] = "RemoteKill", "Retry"
    return {name: draw(CONTROLS[name]) for name in names}


def calls(chance: random.Random, rules: dict[str, dict[str, Any]], batch: int) -> tuple[Call, ...]:
    """Make up messages that their controls can bring to an end."""
    made = []
    spins = 0
    for n in range(chance.randint(10, 60)):
        plan = [*chance.choices(STEPS, k=chance.randint(0, 3)), chance.choice(ENDS)]
        form = chance.choice(["published", "published", "raw", "bare"])
        options: dict[str, Any] = {}
        for option in chance.sample(OPTIONS, chance.randint(0, 2)) if form != "bare" else []:
            options |= option
        if "eta" in options:
            options.pop("countdown", None)
        elif form == "raw" and chance.random() < 0.1:
            options["countdown"] = "later"
        if "spin" in plan:
            spins += 1
            if "Timeout" in rules and form != "bare" and not batch and spins <= MOST_SPINS:
                options["function_timeout"] = SPIN
            else:
                plan = ["error" if step == "spin" else step for step in plan]
        made.append(
            Call(
                n,
                tuple(plan),
                form,
                options,
                site=chance.randint(0, 2),
                equal=chance.choice([None, None, None, None, 0, 1, 2]),
                priority=chance.choice([0, 0, 3]),
                killed=form != "bare" and chance.random() < 0.1,
            )
        )
    return tuple(made)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a history."""
    rules = draw(controls())
    batch = draw(st.sampled_from([0, 0, 0, 1, 4]))
    # By one number, not by hundreds of choices: those exceed what hypothesis is made for.
    messages = calls(random.Random(draw(st.integers(0, 2**64 - 1))), rules, batch)
    peaceful = ("stop", "pause") if batch else ("stop", "pause", "kill")
    kinds = draw(st.sampled_from([peaceful, (*peaceful, "crash", "fuse"), ("crash", "fuse", "fuse")]))
    event = st.builds(Event, st.sampled_from(kinds), st.integers(1, 25), st.integers(0, len(messages) - 1))
    junk = draw(st.lists(st.sampled_from(UNDECODABLE), max_size=3))
    return History(
        messages,
        tuple(body % n if b"%d" in body else body for n, body in enumerate(junk)),
        rules,
        workers=draw(st.integers(0, 8)),
        coroutines=draw(st.booleans()) and not GREEN,
        batch=batch,
        broker_delays=draw(st.booleans()),
        short_way=draw(st.booleans()),
        max_deliveries=draw(st.integers(1, 5)),
        events=tuple(draw(st.lists(event, max_size=4))),
    )


def body_of(call: Call) -> bytes:
    """Return what a foreign producer sends."""
    if call.form == "bare":
        return orjson.dumps(call.arguments)
    return orjson.dumps({**call.arguments, "extra": {"task_id": call.task_id, **call.options}})

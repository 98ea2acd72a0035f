"""What a history must have come to: the fates and runs that plans and controls prescribe, and the checks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .histories import LONG_AGO

if TYPE_CHECKING:
    from .histories import Call, History
    from .ledger import Record

UNREADABLE = "its time cannot be read"
DEAD = {"dead", "undecodable", "overdelivered", UNREADABLE}
"""Fates that end on the dead-letter queue."""

HOUR = 3600


def allowed_retries(history: History, call: Call) -> int:
    """Return how often a failed call may run again."""
    rule = history.controls.get("Retry")
    if rule is None:
        return 0
    own = call.options.get("max_retry_times")
    return own if isinstance(own, int) else rule["max_retries"]


def tried_before(call: Call) -> int:
    """Return the attempts that the message says it has behind it."""
    before = call.options.get("_advanced_retry_count")
    return before if isinstance(before, int) else 0


def reasons_not_to_run(history: History, call: Call) -> set[str]:
    """Return the fates, one of which keeps the call from running at all."""
    rules, options = history.controls, call.options
    reasons = set()
    if call.killed and "RemoteKill" in rules:
        reasons.add("killed")
    if "Expire" in rules and options.get("publish_time") == LONG_AGO:
        own = options.get("msg_expire_seconds")
        if own if isinstance(own, int) else rules["Expire"]["seconds"]:
            reasons.add("expired")
    if "Delay" in rules:
        if options.get("countdown") == "later":
            reasons.add(UNREADABLE)
        # What a crash interrupted began in time, for all that anybody knows.
        if is_late(call) and not tried_before(call) and not history.crashes:
            reasons.add("misfired")
    return reasons


def most_copies(history: History, call: Call) -> int:
    """Return how many messages the crashes can have made of one.

    Each repeats what was not acknowledged. What was sent anew with changed control data is there twice then, and
    the next crash can do so to both.
    """
    rules, options = history.controls, call.options
    anew = rules.get("Retry", {}).get("wait") == "queue" or "Delay" in rules or "misfire_grace_time" in options
    return 2**history.crashes if anew else 1 + history.crashes


def is_late(call: Call) -> bool:
    """Whether the call's time was years ago, and a grace is over."""
    options = call.options
    countdown = isinstance(options.get("countdown"), float) and options.get("publish_time") == LONG_AGO
    return ("eta" in options or countdown) and isinstance(options.get("misfire_grace_time"), int)


def may_be_dropped(call: Call) -> set[str]:
    """Return the fates without a run that depend on when it is delivered."""
    return {"filtered", "misfired"} if is_late(call) else {"filtered"}


def group_of(history: History, call: Call) -> str | None:
    """Return what makes the call equal to others for the filter; None where it is not filtered."""
    rule = history.controls.get("Filter")
    own = call.options.get("do_task_filtering")
    if rule is None or not (own if isinstance(own, bool) else rule["enabled"]):
        return None
    return str(call.options.get("filter_str", call.arguments["same"]))


def prescribed(history: History, call: Call) -> tuple[int, str]:
    """Return (runs, fate) of a call that runs and is never interrupted."""
    rules = history.controls
    retry = rules.get("Retry", {})
    most = allowed_retries(history, call)
    attempt = tried_before(call) + 1
    carried = attempt
    runs = 0
    while True:
        step = call.plan[min(runs, len(call.plan) - 1)]
        runs += 1
        if step == "ok":
            return runs, "success"
        if step == "requeue":
            if "Requeue" not in rules:
                return runs, "failed"
            attempt = carried
            continue
        if step == "dead":
            return runs, "dead" if "DeadLetterOnRequest" in rules else "failed"
        final = step == "exit" or (step == "never" and retry.get("never"))
        if final or not retry or attempt > most:
            return runs, "dead" if retry.get("dead_letter") else "failed"
        attempt += 1
        if retry["wait"] == "queue":
            carried = attempt


def check_call(history: History, call: Call, record: Record) -> None:
    """Check one call's fate and runs."""
    fates, steps = record.fates[call.n], record.steps[call.n]
    told = f"{call}: fates {fates}, runs {steps}"
    assert fates, f"lost: {told}"
    assert len(fates) <= most_copies(history, call), f"ended too often: {told}"
    final = fates[-1]
    late_kill = call.n in record.killed_late
    reasons = reasons_not_to_run(history, call)
    group = group_of(history, call)
    others = [other for other in history.calls if group is not None and group_of(history, other) == group]
    succeeded = any("success" in record.fates[other.n] or other.n in record.fallen for other in others)
    if final == "filtered":
        assert succeeded, f"filtered, but no equal task has succeeded: {told}"
    if final == "overdelivered":
        assert history.crashes >= history.max_deliveries, told
        return
    if reasons:
        assert not steps, f"should not have run: {told}"
        maybe = {"killed"} if late_kill else set()
        assert final in reasons | maybe | may_be_dropped(call), told
        return
    _check_attempts(history, call, record, told)
    if call.n in record.blurred:
        return
    if final in {"success", "failed", "dead"} and call.n not in record.fallen and not late_kill:
        assert (steps[-1] == "ok") == (final == "success"), told
    elif not (late_kill or call.n in record.fallen):
        assert final in may_be_dropped(call), told
    if _is_exact(history) and call.n not in record.fallen and not late_kill:
        runs, fate = prescribed(history, call)
        if final == "filtered":
            assert len(steps) < runs, f"{runs} runs prescribed: {told}"
        else:
            assert (len(steps), final) == (runs, fate), f"{runs} runs and {fate} prescribed: {told}"


def _is_exact(history: History) -> bool:
    """Whether nothing interrupted a task: a stop gives back those that wait in a worker, and they begin anew."""
    retry = history.controls.get("Retry", {})
    waits = retry.get("wait") == "worker" and retry.get("backoff")
    return not history.crashes and not (waits and history.count("stop"))


def _check_attempts(history: History, call: Call, record: Record, told: str) -> None:
    """Retries are counted along the chain of deliveries; what gives a task back begins a delivery anew."""
    before = tried_before(call)
    most = max(allowed_retries(history, call) + 1, before + 1)
    assert record.attempts[call.n] <= most, f"attempt {record.attempts[call.n]}: {told}"
    again = sum(step == "requeue" for step in call.plan) + history.count("stop")
    in_worker = history.controls.get("Retry", {}).get("wait") == "worker"
    chain = most + again * (most if in_worker else 1)
    assert len(record.steps[call.n]) <= chain * most_copies(history, call), told


def check(history: History, record: Record, dead_letters: Counter[Any]) -> None:
    """Check everything at the end."""
    assert not record.faults, record.faults
    for call in history.calls:
        check_call(history, call, record)
    for body, sent in Counter(history.junk).items():
        fates = record.fates[body]
        assert set(fates) <= {"undecodable", "overdelivered"}, fates
        assert sent <= len(fates) <= sent * (1 + history.crashes), fates
    for key in record.fates.keys() | dead_letters.keys():
        fates = record.fates[key]
        dead = sum(fate in DEAD for fate in fates)
        if history.crashes:
            assert (fates[-1] in DEAD) <= dead_letters[key] <= dead, (key, fates, dead_letters[key])
        else:
            assert dead_letters[key] == dead, (key, fates, dead_letters[key])
    groups = Counter(group_of(history, call) for call in history.calls if "success" in record.fates[call.n])
    del groups[None]
    assert all(count <= 1 + history.crashes for count in groups.values()), f"equal tasks succeeded: {groups}"

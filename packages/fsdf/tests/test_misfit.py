"""Messages that the function cannot be called with are kept for whoever can."""

from __future__ import annotations

import pytest

from fsdf import boost
from fsdf.misfit import Misfit
from fsdf_core.errors import DecodeError, TaskFailed
from fsdf_core.message import Message
from fsdf_core.waiting import wait_until

PATIENCE = 30.0


def keyword_only(x, /, y, *rest, z=1, **others): ...


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"x": 1, "y": 2}, True),
        ({"x": 1, "y": 2, "z": 3, "more": 4}, True),
        ({"y": 2}, False),
        ({}, False),
    ],
)
def test_what_fits(arguments, fits):
    verdict = Misfit(keyword_only).on_error(Message(arguments, {}), TypeError("?"), 1)
    assert (verdict is None) is fits


def test_other_errors_are_the_function_s():
    misfit = Misfit(keyword_only)
    assert misfit.on_error(Message({}, {}), ValueError("?"), 1) is None
    assert misfit.on_error(Message({}, {}), DecodeError("no object"), 1).reason == "no object"


def test_arguments_of_an_older_version_are_dead_letters(decorate, kind):
    def old(x, y=1): ...

    calls = []

    def new(a, y=1):
        calls.append((a, y))
        return a + y

    producer = decorate(old, broker_kind=kind, is_using_rpc_mode=True)
    consumer = boost(producer.queue_name, broker_kind=kind, is_using_rpc_mode=True, booster_registry_name="new")(new)
    result = producer.push(1)
    consumer.consume()
    with pytest.raises(TaskFailed, match=r"new\(a, y=1\) cannot be called with x: missing a required argument: 'a'"):
        result.get(PATIENCE)
    assert consumer.push(5).get(PATIENCE) == 6
    with pytest.raises(TaskFailed, match="TypeError"):
        consumer.push("text").get(PATIENCE)
    assert consumer.stop()
    assert calls == [(5, 1)] + [("text", 1)] * 4
    letters = consumer.dead_letters()
    assert wait_until(lambda: letters.count() == 1, PATIENCE)

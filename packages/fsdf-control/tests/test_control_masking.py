"""What is shown of arguments and errors, whatever they are."""

import doctest

import orjson
import pytest

from fsdf_control import masking
from fsdf_control.masking import LARGEST, Mask, cut, shown
from fsdf_control.record_builder import RecordBuilder
from fsdf_core.message import Message, Run
from fsdf_core.outcome import Outcome
from fsdf_core.record_row import COLUMNS
from fsdf_core.success_rows import SuccessRows
from fsdf_core.verdict import Drop

ENDLESS = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "name",
    ["password", "PASSWORD", "db_password", "dbPassword", "X-Api-Key", "apikey", "access_token", "Authorization"],
)
def test_names_of_secrets(name):
    assert Mask()({name: "p4"}) == {name: "***"}
    assert not Mask().text_of_plain({name: "p4"})


@pytest.mark.parametrize("name", ["passwords_changed", "tokens", "secretary", "key", "x", ""])
def test_names_of_no_secrets(name):
    assert Mask()({name: "p4"}) == {name: "p4"}


def test_secrets_at_any_depth_and_of_any_type():
    arguments = {"a": [{"b": ({"token": ["p4"]},)}], "password": {"old": "p4"}, "n": {5: {"secret": None}}}
    masked = {"a": [{"b": [{"token": "***"}]}], "password": "***", "n": {"5": {"secret": "***"}}}
    assert Mask()(arguments) == masked


def test_plain_arguments_need_no_mask_once_their_names_are_known():
    mask = Mask(["pin"])
    assert not mask.text_of_plain({"x": 1})
    mask({"x": 1, "pin": 2})
    assert mask.text_of_plain({"x": 1}) == '{"x":1}'
    for arguments in ({"pin": 1}, {"x": []}, {"x": "é"}, {"x": "a" * 1000}, {"x": 2**64}, {"x": None}):
        assert not mask.text_of_plain(arguments)


def test_names_without_end_are_not_all_remembered():
    mask = Mask()
    for number in range(masking._KNOWN_NAMES + 10):
        mask({f"x{number}": 1})
    assert len(mask._known) == masking._KNOWN_NAMES


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1}, "{1}"),
        (2**70, str(2**70)),
        (-(2**63), -(2**63)),
        ("half \ud800 pair", "half ? pair"),
        (float("nan"), None),
        ({(1, 2): object}, {"(1, 2)": "<class 'object'>"}),
        (b"\xff", "b'\\xff'"),
        ({"a": 2**70, "b": ["\ud800"], 5: None}, {"a": str(2**70), "b": ["?"], "5": None}),
        (ENDLESS, "<list>"),
        (True, True),
        ("é" * 2000, "é" * 2000),
    ],
    ids=repr,
)
def test_anything_becomes_json_data(value, expected):
    assert shown(value) == expected
    orjson.dumps(shown(value))


def test_what_is_too_large_is_cut():
    assert len(shown("x" * (LARGEST + 1))) < 2000
    assert shown(["x" * LARGEST]).endswith("bytes)")
    assert cut("a" * 10, 4) == "…aaaa"
    assert cut("\ud800", 4) == "?"


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def columns_of(row):
    return dict(zip(COLUMNS, row, strict=True))


def test_errors_and_arguments_that_are_traps():
    builder = RecordBuilder("q", "f", "w", None, results=True, masked=())
    message = Message({"deep": ENDLESS}, {"task_id": "\ud800", "publish_time": "soon", "x": ENDLESS})
    message.outcome = Outcome(False, None, Unprintable(), 1, None)
    message.earlier = (Run(1.0, 2.0, message.outcome.error, 5), Run(3.0, 4.0, Unprintable(), 5))
    message.began, message.ended, message.thread = 3.0, 4.0, 5
    record = columns_of(builder.ended(message, 9.0))
    silent = "<its text cannot be shown: RuntimeError>"
    told = ("failure", silent, "Unprintable")
    assert (record["status"], record["error"], record["error_type"]) == told
    detail = orjson.loads(record["detail"])
    assert [error for *_, error in detail["timeline"]] == [f"Unprintable: {silent}"] * 2
    assert (record["task_id"], record["published"], record["expires"]) == ("?", None, None)
    assert len(record["arguments"]) < 2000
    assert "context" not in detail
    told = Message({"x": 1}, {"task_id": "t", "a": 1, "token": "p4", "user_context": {"password": "p4", "n": [1]}})
    detail = orjson.loads(columns_of(builder.ended(told, 9.0))["detail"])
    assert detail["extra"] == {"task_id": "t", "a": 1, "token": "***"}
    assert detail["context"] == {"password": "***", "n": [1]}
    large = Message({"x": "y" * LARGEST}, {"task_id": "t"})
    large.outcome = Outcome(True, ENDLESS, None, 1, None)
    record = columns_of(builder.ended(large, 9.0))
    assert list(orjson.loads(record["arguments"])) == ["…"]
    assert orjson.loads(record["detail"])["result"] == "<list>"


@pytest.mark.parametrize("result", [None, 5, True, "text", "a\0b"])
@pytest.mark.parametrize("arguments", [{"x": 1, "y": "two", "z": 3.5}, {"x": "a\0b"}, {}])
@pytest.mark.parametrize("task_id", ["t", "é" * 300, "x" * 600])
def test_the_short_way_of_a_plain_success_leads_to_the_same_row(result, arguments, task_id):
    message = Message(arguments, {"task_id": task_id, "publish_time": 1.5, "publish_time_format": "then"})
    message.began, message.ended, message.thread, message.result = 3.0, 4.5, 5, result
    builder = RecordBuilder("q" * 600, "f", "w", 60.0, results=True, masked=())
    builder.ended(message, 9.0)  # it learns which names are no secrets
    (short,) = SuccessRows(builder.shared(9.0), list(builder.success(message))).rows()
    # What has a secret among its arguments goes the long way.
    message.arguments = {**arguments, "token": "p4"}
    assert builder.success(message) is None
    long = builder.ended(message, 9.0)
    told = columns_of(short), columns_of(long)
    assert orjson.loads(told[1].pop("arguments")) == {**orjson.loads(told[0].pop("arguments")), "token": "***"}
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "change",
    [
        {"result": ENDLESS},
        {"result": {"a": [1]}},
        {"outcome": Outcome(True, 1, None, 2, None)},
        {"settlement": Drop("filtered")},
        {"earlier": (Run(1.0, 2.0, ValueError(), 5),)},
        {"began": 0.0, "ended": 0.0},
        {"extra": {"task_id": "t", "publish_time": 1.5, "publish_time_format": "then", "expire": 5}},
    ],
)
def test_what_is_no_plain_success_goes_the_long_way(change):
    message = Message({"x": 1}, {"task_id": "t", "publish_time": 1.5, "publish_time_format": "then"})
    message.began, message.ended, message.thread = 3.0, 4.5, 5
    for name, value in change.items():
        setattr(message, name, value)
    builder = RecordBuilder("q", "f", "w", 60.0, results=True, masked=())
    builder.ended(Message({"x": 1}, {"task_id": "t"}), 9.0)
    assert builder.success(message) is None
    assert columns_of(builder.ended(message, 9.0))["task_id"] == "t"


def test_the_examples():
    assert doctest.testmod(masking).failed == 0

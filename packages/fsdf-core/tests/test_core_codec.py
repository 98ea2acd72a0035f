"""The wire form, read and written."""

import pytest

from fsdf_core.codec import decode, encode
from fsdf_core.errors import DecodeError, EncodeError
from fsdf_core.resend import priority_of


def test_round_trip():
    message = decode(encode({"x": 1, "y": "你好"}, {"task_id": "a"}))
    assert (message.arguments, message.extra, message.task_id) == ({"x": 1, "y": "你好"}, {"task_id": "a"}, "a")


def test_foreign_message_has_no_extra():
    assert decode(b'{"x": 1}').extra == {}


def test_a_dict_is_copied_one_level_deep():
    inner = []
    body = {"x": inner, "extra": {"task_id": "a"}}
    message = decode(body)
    assert "extra" in body
    assert message.arguments["x"] is inner
    assert message.arguments is not body


@pytest.mark.parametrize("body", [b"", b"nope", b"\xff", b"[1]", b"3", b"null", b'{"extra": 1}', b'{"a":1}{'])
def test_garbage_is_refused(body):
    with pytest.raises(DecodeError):
        decode(body)


def test_an_argument_that_is_no_json_is_named():
    with pytest.raises(EncodeError, match=r"'y' \(object\)"):
        encode({"x": 1, "y": object()}, {})


def test_pickled_arguments_are_refused_not_taken_for_text():
    with pytest.raises(DecodeError, match="pickled"):
        decode(b'{"x": "gASVAQ==", "extra": {"can_not_json_serializable_keys": ["x"]}}')
    assert decode(b'{"x": 1, "extra": {"can_not_json_serializable_keys": []}}').arguments == {"x": 1}


@pytest.mark.parametrize(
    ("extra", "priority"),
    [
        ({}, 0),
        ({"priority": 3}, 3),
        ({"priority": "3"}, 0),
        ({"priority": True}, 0),
        ({"other_extra_params": {"priroty": 5}}, 5),
        ({"priority": 2, "other_extra_params": {"priority": 5}}, 2),
        ({"other_extra_params": [5]}, 0),
    ],
)
def test_priorities_are_found_where_they_are_written(extra, priority):
    assert priority_of(extra) == priority

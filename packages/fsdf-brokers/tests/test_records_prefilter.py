"""A search by a path finds the same with and without a look at the text before."""

from __future__ import annotations

import pytest

from fsdf_brokers.records.argument_path import parse_path
from fsdf_brokers.records.sql import SQLRecordStore, search
from fsdf_brokers.records.sql.prefilter import needles
from fsdf_core.records import RecordQuery, TaskRecord

VALUES = (
    0, 5, -5, 55, 10**14, 10**15, 10**16, 10**18, 5.0, 0.5, -0.0, 1e16, 1e22, 1e-7, 123456789.125, True, False, None,
    "", "5", "05", " 5", "5.0", "true", "null", "None", "[]", "{}", "x", "X", "xx", "a b", "50%", "50_", "a!b",
    'say "hi"', "back\\slash", "line\nbreak", "tab\t", "\0", "\ufffd", "\x01", "naïve", "NAÏVE", "\U0001f600",
    "e\u0301", "ß", "ss", "[1]", [], [1], ["x"], {}, {"a": 1}, {"b": "x", "a": None},
)  # fmt: skip
TEXTS = [
    *dict.fromkeys(str(value) for value in VALUES if value != "\0"),
    "10000000000000000", "1e16", "1.0e+16", "0.0000001", "1e-07", "-0", "+5",
    '{"a":1}', '{"a": 1}', "[1]", "x" * 2000,
]  # fmt: skip
PATHS = ("deep.v", "list[0]", "the name")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def store(request, tmp_path):
    match request.param:
        case "sqlite":
            url = f"sqlite:///{(tmp_path / 'records.sqlite').as_posix()}"
        case "postgresql":
            url = request.getfixturevalue("postgres_url")
        case _:
            url = request.getfixturevalue("mariadb_url")
    store = SQLRecordStore(url)
    yield store
    store.close()


def done(number, value):
    arguments = {"deep": {"v": value}, "list": [value], "the name": value}
    return TaskRecord(f"t{number}", "a", "f", "success", 1e9, 1e9, 1e9 + number, arguments=arguments)


def test_a_look_at_the_text_hides_nothing(store, monkeypatch):
    store.save([done(number, value) for number, value in enumerate(VALUES)])
    queries = [RecordQuery(arguments={path: text}, limit=100) for path in PATHS for text in TEXTS]

    def found():
        return [[record.task_id for record in store.find(query).records] for query in queries]

    looking = found()
    assert sum(map(bool, looking)) > 30 * len(PATHS)
    monkeypatch.setattr(search, "needles", lambda path, text: [])
    assert looking == found()


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("user.id", "5", ['"id":"5"', '"id":5']),
        ("id", 'a"b', ['"id":"a\\"b"']),
        ("id", "1.5", ['"id":']),
        ("tags[0]", "new", ['"new"']),
        ("tags[0]", "1.5", []),
        ("id", "x" * 2000, []),
        ("id", "\ufffd", []),
    ],
)
def test_what_is_looked_for(path, text, expected):
    assert needles(parse_path(path), text) == expected

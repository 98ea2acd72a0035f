"""The capability matrix of the documentation is that of the code, and every broker is tested somewhere."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from fsdf_brokers import matrix
from fsdf_brokers.__main__ import main
from fsdf_core.errors import ConfigurationError, MissingDependency
from fsdf_core.registry import brokers
from tests.conformance import test_brokers

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "brokers.md"
KINDS = sorted(point.name for point in entry_points(group="fsdf.brokers"))
ROWS = {
    "memory": "MEMORY_QUEUE",
    "serializing_memory": "MEMORY_QUEUE",
    "sqlite": "SQLITE_QUEUE",
    "sqlalchemy_sqlite": "SQLALCHEMY",
    "sqlalchemy_postgresql": "SQLALCHEMY",
    "sqlalchemy_mariadb": "SQLALCHEMY",
}
"""Rows of the conformance tests that are not called like their kind."""

ELSEWHERE = {
    "KAFKA_CONFLUENT_SASL_PLAIN": "packages/fsdf-brokers/tests/test_kafka_trouble.py",
    "RABBITMQ_COMPLEX_ROUTING": "packages/fsdf-brokers/tests/test_rabbitmq_queue.py",
    "REDIS_PUBSUB": "packages/fsdf-brokers/tests/redis/test_redis_pubsub.py",
}
"""Kinds that the conformance tests leave out, and the tests that name them."""


def adapter(kind):
    """Return the kind's class, or its name where its client library is missing: rabbitpy needs Python 3.11."""
    try:
        return brokers.get(kind)
    except MissingDependency:
        return kind


def known(page):
    """Return the lines without the rows of kinds whose client library is missing."""
    missing = tuple(f"| `{kind}` |" for kind in KINDS if isinstance(adapter(kind), str))
    return [line for line in page.splitlines() if not line.startswith(missing)]


def conforming():
    names = [make.__name__ for make in test_brokers.ROWS]
    return {ROWS.get(name, name.upper()) for name in names}


def test_the_page_is_up_to_date():
    text = PAGE.read_text(encoding="utf-8")
    assert known(matrix.rewritten(text)) == known(text), "hatch run docs"


def test_every_row_of_the_conformance_tests_is_a_kind():
    assert conforming() <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_tested(kind):
    """Directly, or by a kind that is the same class, or by the tests that are named."""
    if kind in ELSEWHERE:
        text = (ROOT / ELSEWHERE[kind]).read_text(encoding="utf-8")
        assert f'"{kind}"' in text or f"{adapter(kind).__name__}(" in text
    else:
        assert adapter(kind) in {adapter(other) for other in conforming()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_how_to_install_a_kind(kind):
    (point,) = entry_points(group="fsdf.brokers", name=kind)
    library, extra = matrix.client_of(point)
    assert bool(library) == bool(extra)
    assert f"| `{kind}` | {library or 'none'} | `fsdf{f'[{extra}]' if extra else ''}` |" in matrix.table()


def test_a_kind_without_its_client_library_says_what_to_do():
    program = "import sys; sys.modules['pika'] = None; from fsdf_brokers import matrix; print(matrix.table())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    rows = {row.split("`")[1]: row for row in done.stdout.splitlines() if row.startswith("| `")}
    assert "pip install fsdf[rabbitmq] |" in rows["RABBITMQ"]
    assert rows["RABBITMQ_AMQPSTORM"] in matrix.table()
    assert {row.count(" |") for row in rows.values()} == {len(matrix.HEADINGS)}


def test_it_prints_the_table(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == matrix.table()


def test_it_writes_between_the_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"above\n{matrix.BEGIN}\nold\n{matrix.END}\nbelow\n", encoding="utf-8")
    assert main([str(page)]) == 0
    written = page.read_text(encoding="utf-8")
    assert written == f"above\n{matrix.BEGIN}\n\n{matrix.table()}\n{matrix.END}\nbelow\n"
    assert main([str(page)]) == 0
    assert page.read_text(encoding="utf-8") == written


@pytest.mark.parametrize("text", ["", matrix.BEGIN, matrix.END + matrix.BEGIN, matrix.BEGIN + matrix.END * 2])
def test_a_page_without_the_marks_stays_as_it_is(tmp_path, capsys, text):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert main([str(page)]) == 2
    assert "needs these two lines" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == text
    with pytest.raises(ConfigurationError):
        matrix.rewritten(text)


def test_a_page_that_is_not_there_is_said(tmp_path, capsys):
    assert main([str(tmp_path / "none.md")]) == 2
    assert "none.md" in capsys.readouterr().err

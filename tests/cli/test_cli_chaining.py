"""Several commands on one line, with a "-" between them."""

import pytest

from fsdf_cli.chaining import commands_of
from fsdf_cli.mistakes import MISUSED


def test_the_first_one_that_fails_is_the_last_one(fsdf, queue):
    address = f"SQLITE_QUEUE:{queue}"
    fsdf("push", address, "--x=1", "-", "push", "nobody_s", "1", "-", "push", address, "--x=2", status=MISUSED)
    assert "nobody_s" in fsdf.errors
    assert fsdf.json("inspect", address)["ready"] == 1


def test_one_after_the_other_with_what_the_first_has_imported(fsdf, queue):
    module = fsdf.module(queue)
    told = fsdf(
        f"--import_modules_str={module}",
        "push", queue, "9", "-", "clear", queue, "-", "push", queue, "1", "--y=3", "-", "publish", queue, '{"x": 2}',
    )  # fmt: skip
    assert f"{queue} is cleared" in told
    assert fsdf.json("inspect", queue, "-i", module)["ready"] == 2


def test_the_last_one_may_be_a_worker(fsdf, queue, start):
    worker = start(f"--import_modules_str={fsdf.module(queue)}", "push", queue, "4", "-", "consume", queue)
    worker.says("ran 4 2")
    worker.popen.terminate()
    assert worker.ends() == 0, worker.output


def test_standard_input_is_no_separator(fsdf, queue):
    address = f"SQLITE_QUEUE:{queue}"
    assert "2 published" in fsdf("publish", address, "-", stdin='{"x": 1}\n{"x": 2}\n')


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("push sums 1 - consume sums", 2),
        ("--max_depth=2 clear a b - clear c - consume_all", 3),
        ("--max_depth 2 --import_modules_str app clear a - consume_all", 2),
        ("push sums - 1", 1),
        ("push sums -", 1),
        ("publish sums - -i app", 1),
        ("queues - push sums 1", 1),
        ("worker app - push sums 1", 1),
        ("- push sums", 1),
        ("", 1),
    ],
)
def test_what_is_a_separator(line, count):
    assert len(commands_of(line.split())) == count

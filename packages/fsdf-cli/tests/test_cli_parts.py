"""The parts of the command line that need no queue."""

import doctest
import os
import subprocess
import sys

import pytest

from fsdf_cli import call_arguments
from fsdf_cli.call_arguments import named, parsed
from fsdf_cli.file_watch import FileWatch
from fsdf_cli.mistakes import broken_module
from fsdf_cli.output import moment, span, table
from fsdf_cli.working import processes_of
from fsdf_core.errors import ConfigurationError
from fsdf_core.roster import KnownQueue

ADD = KnownQueue("sums", parameters=[{"name": "x", "required": True}, {"name": "y", "required": False}])
ANY = KnownQueue("any", parameters=[{"name": "x", "required": True}, {"name": "rest", "variadic": "kwargs"}])


@pytest.mark.parametrize(
    ("known", "args", "kwargs", "said"),
    [
        (KnownQueue("new"), [1], {}, "by name"),
        (ADD, [1, 2, 3], {}, "at most 2"),
        (ADD, [1], {"x": 2}, "twice"),
        (ADD, [1], {"z": 2}, "no argument 'z'"),
        (ADD, [], {"y": 2}, "needs the argument 'x'"),
    ],
)
def test_calls_that_a_function_does_not_take(known, args, kwargs, said):
    with pytest.raises(ConfigurationError, match=said):
        named(known, args, kwargs)


def test_calls_that_it_takes():
    assert named(ADD, [1], {"y": 2}) == {"x": 1, "y": 2}
    assert named(ANY, [1], {"z": 2}) == {"x": 1, "z": 2}
    assert named(KnownQueue("new"), [], {"z": 2}) == {"z": 2}


def test_words():
    assert parsed(["null", "1.5", "1,5", "--a-b=[]", "--", "x=1"]) == ([None, 1.5, "1,5", "x=1"], {"a_b": []})


@pytest.mark.parametrize("text", ["", "x", "1:", "1:x", "2:3:4"])
def test_processes_that_are_none(text):
    with pytest.raises(ConfigurationError, match="--processes"):
        processes_of(text)


def test_processes():
    assert (processes_of("3"), processes_of("2:8")) == ((3, None), (2, 8))


def test_files_that_change(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    first, second = tmp_path / "a.py", tmp_path / "sub" / "b.py"
    first.touch()
    second.touch()
    watch = FileWatch([tmp_path])
    for quiet in (tmp_path / "a.txt", tmp_path / ".hidden" / "x.py", tmp_path / "env" / "y.py"):
        quiet.touch()
    assert watch.changed() == []
    os.utime(second, (1, 1))
    assert watch.changed() == [str(second)]
    first.unlink()
    (tmp_path / "c.py").touch()
    assert watch.changed() == [str(first), str(tmp_path / "c.py")]
    assert watch.changed() == []


def test_a_mistake_in_a_module_is_placed_in_the_user_s_file(tmp_path):
    file = tmp_path / "user.py"
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - only where it was raised matters
        exec(compile("import json\njson.loads('{')", str(file), "exec"), {"__name__": "user"})
    assert f"{file}, line 2" in str(broken_module("user", raised.value))
    with pytest.raises(SyntaxError) as unread:
        compile("def", str(file), "exec")
    assert f"{file}, line 1" in str(broken_module("user", unread.value))


def test_numbers_for_people():
    assert [span(seconds) for seconds in (0, 61, 3600, 90061)] == ["0s", "1m 1s", "1h", "1d 1h"]
    assert (moment(None), moment(0), len(moment(1e9))) == ("", "", 19)


def test_a_table_shows_text_as_it_is():
    from rich.console import Console

    printer = Console(file=open(os.devnull, "w"), width=80, record=True)  # noqa: SIM115, PTH123 - closed below
    printer.print(table(("a", ">b"), [("[red]x", None)]))
    assert "[red]x" in printer.export_text()
    printer.file.close()


def test_the_facade_and_the_controls_are_imported_only_when_they_are_needed():
    program = (
        "import sys, fsdf_cli.app; print(sorted({'fsdf', 'fsdf_control', 'fsdf_web', 'rich.table'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_examples():
    assert doctest.testmod(call_arguments).failed == 0

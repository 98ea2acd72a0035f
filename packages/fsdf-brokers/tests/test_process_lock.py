"""The lock file that proves life."""

import contextlib
import os
import subprocess
import sys

import pytest

from fsdf_brokers.process_lock import Life, LifeMark, beat_age, is_alive

HOLDER = """
import sys
from pathlib import Path
from fsdf_brokers.process_lock import LifeMark
mark = LifeMark(Path(sys.argv[1]), "other")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait(10)
    process.stdin.close()
    process.stdout.close()


def test_another_process_lives_until_it_is_killed(tmp_path, holder):
    assert is_alive(tmp_path, "other") is Life.ALIVE
    assert is_alive(tmp_path, "other") is Life.ALIVE
    holder.kill()
    holder.wait(10)
    assert is_alive(tmp_path, "other") is Life.DEAD
    assert list(tmp_path.iterdir()) == []
    assert is_alive(tmp_path, "other") is Life.DEAD


def test_asking_does_not_loosen_ones_own_lock(tmp_path):
    mark = LifeMark(tmp_path, "me/../strange name")
    assert is_alive(tmp_path, "me/../strange name")
    question = (
        "from pathlib import Path; from fsdf_brokers.process_lock import is_alive;"
        f"print(is_alive(Path({str(tmp_path)!r}), 'me/../strange name'))"
    )
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert answer.stdout == "Life.ALIVE\n"
    mark.release()
    mark.release()
    assert not is_alive(tmp_path, "me/../strange name")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_does_not_stand_in_for_its_parent(tmp_path):
    mark = LifeMark(tmp_path, "parent")
    child = os.fork()
    if not child:
        alive = is_alive(tmp_path, "parent")
        mark.release()
        os._exit(0 if alive and is_alive(tmp_path, "parent") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert is_alive(tmp_path, "parent")
    mark.release()


@contextlib.contextmanager
def without_rights(path):
    """Be somebody who may not open the file; a superuser may open any, so it becomes another user."""
    if os.geteuid():
        path.chmod(0)
        yield
        path.chmod(0o600)
        return
    path.parent.chmod(0o711)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="users and rights of POSIX")
def test_a_lock_that_cannot_be_tested_proves_nothing(tmp_path, holder):
    with without_rights(tmp_path / "other.lock"):
        assert is_alive(tmp_path, "other") is Life.UNKNOWN
    assert is_alive(tmp_path, "other") is Life.ALIVE
    holder.kill()
    holder.wait(10)
    with without_rights(tmp_path / "other.lock"):
        assert is_alive(tmp_path, "other") is Life.UNKNOWN
    assert is_alive(tmp_path, "other") is Life.DEAD


def test_what_is_no_file_proves_nothing(tmp_path):
    (tmp_path / "odd.lock").mkdir()
    assert is_alive(tmp_path, "odd") is Life.UNKNOWN


@pytest.mark.parametrize(("life", "maybe"), [(Life.ALIVE, True), (Life.DEAD, False), (Life.UNKNOWN, True)])
def test_a_careless_asker_errs_towards_patience(life, maybe):
    assert bool(life) is maybe


def test_heartbeats(tmp_path):
    assert beat_age(tmp_path, "me") is None
    mark = LifeMark(tmp_path, "me")
    assert -1 < beat_age(tmp_path, "me") < 10
    os.utime(tmp_path / "me.lock", (0, 0))
    assert beat_age(tmp_path, "me") > 1e9
    mark.beat()
    assert -1 < beat_age(tmp_path, "me") < 10
    mark.release()
    mark.beat()
    assert list(tmp_path.iterdir()) == []


def test_many_askers_and_a_newcomer(tmp_path, holder):
    code = "\n".join(
        [
            "import sys; from pathlib import Path; from fsdf_brokers.process_lock import is_alive",
            f"for number in range(20000): is_alive(Path({str(tmp_path)!r}), 'new')",
        ]
    )
    askers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    while any(asker.poll() is None for asker in askers):
        mark = LifeMark(tmp_path, "new")
        assert (tmp_path / "new.lock").exists()
        mark.release()
    assert [asker.wait(30) for asker in askers] == [0, 0]

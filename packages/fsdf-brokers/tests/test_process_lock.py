"""The lock file that proves life."""

import os
import subprocess
import sys

import pytest

from fsdf_brokers.process_lock import LifeMark, is_alive

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
    assert is_alive(tmp_path, "other")
    assert is_alive(tmp_path, "other")
    holder.kill()
    holder.wait(10)
    assert not is_alive(tmp_path, "other")
    assert list(tmp_path.iterdir()) == []
    assert not is_alive(tmp_path, "other")


def test_asking_does_not_loosen_ones_own_lock(tmp_path):
    mark = LifeMark(tmp_path, "me/../strange name")
    assert is_alive(tmp_path, "me/../strange name")
    question = (
        "from pathlib import Path; from fsdf_brokers.process_lock import is_alive;"
        f"print(is_alive(Path({str(tmp_path)!r}), 'me/../strange name'))"
    )
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert answer.stdout == "True\n"
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

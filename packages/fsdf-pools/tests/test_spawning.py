"""Processes that threads start at the same time, after the script has come to its end."""

import subprocess
import sys

PROGRAM = """
import multiprocessing
import sys
import threading

from fsdf_pools.process_pool.spawning import start

def work(number):
    sys.stdout.write(f"worked {number}\\n")

def launch(number):
    process = multiprocessing.get_context("spawn").Process(target=work, args=(number,))
    threading.main_thread().join(30)
    together.wait(30)
    sys.stdout.write(f"knows {start(process, main_file)}\\n")
    process.join(60)

if __name__ == "__main__":
    together = threading.Barrier(4)
    main_file = __file__
    for number in range(4):
        threading.Thread(target=launch, args=(number,), name=f"launch-{number}").start()
"""


def test_all_of_them_find_what_the_script_defines(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert sorted(done.stdout.split("\n")) == ["", *["knows True"] * 4, *(f"worked {n}" for n in range(4))], done.stderr
    assert not done.stderr

"""Worker processes on one queue, which tests start, stop and kill."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from fsdf_core.publisher import Publisher
from fsdf_core.registry import brokers
from fsdf_core.settings import Settings

WORKER = Path(__file__).parent / "worker.py"


class Fleet:
    """Worker processes on one queue."""

    def __init__(self, kind, folder, **options):
        self.kind = kind
        self.options = json.dumps(options)
        self.history = folder / "history"
        self.history.mkdir()
        self.env = os.environ | {"FSDF_HOME": str(folder / "home"), "FSDF_HEARTBEAT_TIMEOUT": "0.5"}
        self.broker = brokers.get(kind).from_settings(Settings(home=folder / "home"))
        self.queue = self.broker.queue("crash", **options)
        self.publisher = Publisher(self.queue)
        self.workers = []
        self.tasks = 0
        self.kills = {}

    def start(self):
        words = [sys.executable, str(WORKER), self.kind, str(self.history), self.options]
        worker = subprocess.Popen(words, env=self.env)
        self.workers.append(worker)
        return worker

    def kill(self, worker):
        worker.kill()
        worker.wait()
        self.kills[worker.pid] = time.time()
        self.workers.remove(worker)

    def terminate(self, worker):
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(40) == 0
        self.workers.remove(worker)

    def wait_for(self, condition, seconds=60):
        pause = threading.Event()
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.queue.size()
            pause.wait(0.02)

    def events(self):
        return "".join(log.read_text() for log in self.history.glob("*.log"))

    def at_work(self):
        """The workers that have begun; a signal before would meet no handler."""
        logs = {worker: self.history / f"{worker.pid}.log" for worker in self.workers}
        return [worker for worker, log in logs.items() if log.exists() and log.stat().st_size]

    def wait_up(self):
        """Wait until all workers have started to consume."""
        self.wait_for(lambda: all((self.history / f"{worker.pid}.up").exists() for worker in self.workers))

    def hand_over(self):
        """Kill the worker that runs a long task; return the seconds until one that was there runs it again."""
        self.publisher.publish({"number": 1, "seconds": 60})
        self.wait_for(lambda: "start 1 " in self.events())
        logs = {worker: self.history / f"{worker.pid}.log" for worker in self.at_work()}
        self.kill(next(worker for worker, log in logs.items() if "start 1 " in log.read_text()))
        began = time.monotonic()
        self.wait_for(lambda: self.events().count("start 1 ") == 2)
        return time.monotonic() - began

    def start_pair(self):
        """Start two workers and wait until they consume."""
        workers = [self.start(), self.start()]
        self.wait_up()
        return workers

    def wait_done(self, seconds=90):
        self.wait_for(lambda: self.queue.size().total == 0, seconds)

    def top_up(self, least, tasks=1000, **arguments):
        """Publish more if there is little left; return how many tasks there were in all."""
        if self.queue.size().ready < least:
            self.publisher.publish_many({"number": self.tasks + number, **arguments} for number in range(tasks))
            self.tasks += tasks
        return self.tasks

    def storm(self, blow, tasks, *, strikes, seconds, every=0.5):
        """Push tasks, strike a random worker of three that has begun, replace it, and so on; return the tasks' numbers.

        A machine that starts processes slowly gets more tasks, so that there is always something to lose.
        """
        self.top_up(1, tasks, seconds=seconds)
        for _ in range(3):
            self.start()
        for _ in range(strikes):
            self.wait_for(lambda: self.top_up(tasks // 4, tasks // 4, seconds=seconds) and self.at_work())
            threading.Event().wait(every)
            blow(random.choice(self.at_work()))
            self.start()
        return range(self.tasks)

    def halt(self, worker, seconds):
        """Stop a worker for so long; others may run meanwhile what it has begun."""
        worker.send_signal(signal.SIGSTOP)
        self.kills[worker.pid] = time.time()
        threading.Event().wait(seconds)
        worker.send_signal(signal.SIGCONT)

    def halt_one_of_two(self, tasks, seconds):
        """Push tasks of 50 ms each for two workers, and stop one of them for so long while both are at work."""
        workers = [self.start(), self.start()]
        self.publisher.publish_many({"number": number, "seconds": 0.05} for number in range(tasks))
        self.wait_for(lambda: set(self.at_work()) == set(workers))
        self.halt(workers[0], seconds)

    def run_hogs(self, tasks):
        """Let two workers run tasks that never let go of the interpreter's lock."""
        self.start()
        self.start()
        self.publisher.publish_many({"number": number, "kind": "regex"} for number in range(tasks))
        self.wait_done()

    def close(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.broker.close()

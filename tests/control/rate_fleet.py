"""Worker processes that share a queue and a state store in one folder."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from fsdf_core.publisher import Publisher
from fsdf_core.registry import brokers, open_state
from fsdf_core.settings import Settings

WORKER = Path(__file__).parent / "rate_worker.py"


class RateFleet:
    """Starts, kills and reads `rate_worker.py` processes.

    Args:
        folder: for the queue, the state and the logs.
        rule: a rule of the workers.
        number: its number.
        state_url: where the state is; None is a SQLite file in the folder.
    """

    def __init__(self, folder, rule, number=0, state_url=None):
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        settings = Settings(home=folder / "home", state_url=state_url)
        self.broker = brokers.get("SQLITE_QUEUE").from_settings(settings)
        self.queue = self.broker.queue("rates")
        self.publisher = Publisher(self.queue)
        self.store = open_state(settings)
        self.workers = []
        self._command = [sys.executable, str(WORKER), str(self.logs), rule, str(number)]
        self._env = os.environ | {"FSDF_HOME": str(folder / "home"), "FSDF_HEARTBEAT_TIMEOUT": "0.5"}
        self._env.pop("FSDF_STATE_URL", None)
        if state_url is not None:
            self._env["FSDF_STATE_URL"] = state_url

    def start(self):
        self.workers.append(subprocess.Popen(self._command, env=self._env))
        return self.workers[-1]

    def kill(self, worker):
        worker.kill()
        worker.wait()

    def events(self, event="begin"):
        """Return (time, key) of all events of a kind, in order of time."""
        found = []
        for log in self.logs.glob("*.log"):
            lines = (line.split() for line in log.read_text().splitlines())
            found += [(float(words[1]), words[2]) for words in lines if len(words) == 3 and words[0] == event]
        return sorted(found)

    def wait_for(self, condition, seconds=20):
        pause = threading.Event()
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.queue.size(), self.events()[-3:])
            pause.wait(0.02)

    def at_work(self, worker):
        log = self.logs / f"{worker.pid}.log"
        return log.exists() and log.stat().st_size > 0

    def close(self):
        for worker in self.workers:
            if worker.poll() is None:
                self.kill(worker)
        self.broker.close()
        self.store.close()

"""`hatch run soak [SECONDS] [BROKER]`: worker processes under random kills, reloads, rescales; default 600 s on SQLite.

Tasks are published all the time. Afterwards each must have run to its end, none twice but those that a kill
met, and memory and threads must not have grown. The exit code tells.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from fsdf_core.testing.history import HistoryError, check
from tests.processes.conftest import Boss
from tests.soak.gauge import Gauge

SECONDS = 600.0
EVERY = 0.2
"""Seconds between two batches of tasks, or strikes."""
BATCH = 20
MOST = 3
WARM_UP = 0.2
"""Share of the time after which memory and threads count."""


def main() -> int:
    """Run; return the exit code."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    kind = sys.argv[2] if len(sys.argv) > 2 else "SQLITE_QUEUE"
    seed = random.randrange(10**6)
    print(f"{seconds:g} s on {kind}, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fsdf-soak-", ignore_cleanup_errors=True) as folder:
        boss = Boss(Path(folder), kind, "jobs")
        try:
            return soak(boss, seconds, random.Random(seed))
        finally:
            boss.close()


def soak(boss: Boss, seconds: float, dice: random.Random) -> int:
    """Publish and strike for so long; return how many promises were broken."""
    boss.start(2)
    boss.until_consuming(1)
    assert boss.process is not None
    pid = boss.process.pid
    gauges = [Gauge("the supervisor", lambda: [pid]), Gauge("a worker", boss.workers)]
    published = strikes = 0
    began = time.monotonic()
    next_strike = began + 5
    while (passed := time.monotonic() - began) < seconds:
        boss.publish(BATCH, published)
        published += BATCH
        if time.monotonic() > next_strike:
            strikes += 1
            strike(boss, dice)
            next_strike = time.monotonic() + dice.uniform(1, 6)
        if passed > WARM_UP * seconds:
            for gauge in gauges:
                gauge.look()
        time.sleep(EVERY)
    boss.until(lambda: not boss.queue.size().total)
    boss.terminate()
    print(f"{published} tasks, {strikes} strikes, {len(boss.kills)} kills, {len(boss.started())} workers started")
    broken = [line for gauge in gauges for line in gauge.grown()]
    try:
        report = check(boss.folder / "history", range(published), boss.kills)
    except HistoryError as error:
        broken.append(str(error))
    else:
        print(f"history: {report.duplicates} tasks ran twice, kills allow {report.in_flight}")
    for line in broken:
        print(f"BROKEN   {line}")
    print("clean" if not broken else f"{len(broken)} promise(s) broken", flush=True)
    return len(broken)


def strike(boss: Boss, dice: random.Random) -> None:
    """Kill a worker, reload all, or change their number."""
    match dice.choice(("kill", "kill", "reload", "scale")):
        case "kill":
            if workers := boss.workers():
                boss.kill(dice.choice(workers))
        case "reload":
            boss.call("reload")
        case _:
            boss.call(f"scale {dice.randint(1, MOST)}")


if __name__ == "__main__":
    sys.exit(main())

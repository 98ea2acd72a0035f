"""The process with the supervisor: `boss.py QUEUE OPTIONS`; lines on its standard input call the supervisor."""

import json
import logging
import sys

import jobs

from fsdf import BoosterRegistry

# Here, because worker processes shall log, too.
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    supervisor = BoosterRegistry().get_booster(sys.argv[1]).multi_process_consume(*given.pop("numbers"), **given)
    assert jobs
    for line in sys.stdin:
        method, *numbers = line.split()
        print("did", method, getattr(supervisor, method)(*map(int, numbers)), flush=True)

"""A process with a supervisor whose worker processes consume two tasks: `group.py NAME OPTIONS`."""

import json
import logging
import sys

import jobs

from fsdf.supervision import supervise

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

if __name__ == "__main__":
    numbers = json.loads(sys.argv[2])["numbers"]
    supervise([jobs.grouped_1, jobs.grouped_2], *numbers, name=sys.argv[1])

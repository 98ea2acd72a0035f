"""Pushes numbered messages for ever; prints each number after its push returned.

Usage: sqlite_pusher.py FILE
"""

import itertools
import os
import sys
from pathlib import Path

from fsdf_brokers.sqlite import SQLiteBroker
from fsdf_core.broker import OutgoingMessage

queue = SQLiteBroker(Path(sys.argv[1])).queue("q")
for number in itertools.count():
    queue.send([OutgoingMessage(b"%d" % number)])
    os.write(1, b"%d\n" % number)

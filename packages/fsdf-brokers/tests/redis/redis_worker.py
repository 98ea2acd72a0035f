"""A consumer process for the lease tests; each line on standard input is a command, answered by a line.

Usage: redis_worker.py URL QUEUE CONSUMER_ID LEASE_LIMIT
"""

import re
import sys
import time

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker

url, name, consumer, limit = sys.argv[1:]
broker = RedisAckAbleBroker(url, lease_limit=float(limit))
subscription = broker.queue(name).subscribe(consumer, 10)
held = []
print("ready", flush=True)
for line in sys.stdin:
    match line.split():
        case ["take", count]:
            held = subscription.receive(int(count), 5)
            print(len(held), flush=True)
        case ["ack"]:
            subscription.ack(held)
            print("acked", flush=True)
        case ["wait"]:
            print("waiting", flush=True)
            subscription.receive(1, 60)
        case ["hog"]:  # a regular expression that backtracks for long does not give the interpreter's lock away
            print("hogging", flush=True)
            length, elapsed = 18, 0.0
            while elapsed < 2.0:
                started = time.monotonic()
                re.match("(a+)+$", "a" * length + "b")
                elapsed = time.monotonic() - started
                length += 1
            print(elapsed, flush=True)

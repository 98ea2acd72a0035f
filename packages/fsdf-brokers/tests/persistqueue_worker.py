"""A consumer process for the tests; each line on standard input is a command.

Usage: persistqueue_worker.py FOLDER CONSUMER_ID
"""

import sys
from pathlib import Path

from fsdf_brokers.persistqueue import PersistQueueBroker

queue = PersistQueueBroker(Path(sys.argv[1])).queue("q")
subscription = queue.subscribe(sys.argv[2], 10)
print("ready", flush=True)
for line in sys.stdin:
    match line.split():
        case ["take", count]:
            held = subscription.receive(int(count), 5)
            print(len(held), flush=True)
        case ["ack"]:
            subscription.ack(held)
            print("acked", flush=True)
        case ["drain"]:
            while deliveries := subscription.receive(7, 0.5):
                print(*[delivery.body.decode() for delivery in deliveries], flush=True)
                subscription.ack(deliveries)
            print("", flush=True)

"""The tables of SQLITE_QUEUE.

Each queue has a table of messages and a table of claims. A message stays where it is until it is settled; a claim
is a range of places in one narrow row, so that claiming a thousand messages writes one page and copies no body.
No place within a claim's range is ever given to a new message (see `place`).
"""

VERSION = 2

STATEMENTS = (
    "CREATE TABLE queue(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE delayed(id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, due REAL NOT NULL, rank INTEGER NOT NULL,
    body BLOB NOT NULL)""",
    "CREATE INDEX delayed_due ON delayed(queue, due)",
    # AUTOINCREMENT: a dead consumer's number is never given to a new one.
    """CREATE TABLE consumer(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, queue INTEGER NOT NULL,
    heartbeat REAL NOT NULL)""",
)


def queue_statements(number: int) -> tuple[str, ...]:
    """Return what creates the tables of a queue.

    `deliveries` counts the claims that ended without an outcome; the claim that holds a message is not in it yet.
    """
    return (
        f"CREATE TABLE message_{number}(id INTEGER PRIMARY KEY, deliveries INTEGER NOT NULL, body BLOB NOT NULL)",
        f"CREATE TABLE claim_{number}(last INTEGER PRIMARY KEY, first INTEGER NOT NULL, consumer INTEGER NOT NULL)",
    )

"""The tables of SQLITE_QUEUE.

A message moves from table to table: `ready` (or `delayed`, then `ready`), `claimed`, gone. Each table is
clustered by what it is read by, so that no step maintains a second index.
"""

VERSION = 1

STATEMENTS = (
    "CREATE TABLE queue(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # `rank` is the negative priority; `id` grows with the time of sending.
    """CREATE TABLE ready(queue INTEGER, rank INTEGER, id INTEGER, deliveries INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(queue, rank, id)) WITHOUT ROWID""",
    """CREATE TABLE delayed(queue INTEGER, due REAL, id INTEGER, rank INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(queue, due, id)) WITHOUT ROWID""",
    # `seq` counts a consumer's claims, so that an old acknowledgement can never mean a newer claim.
    """CREATE TABLE claimed(consumer INTEGER, seq INTEGER, queue INTEGER NOT NULL, rank INTEGER NOT NULL,
    id INTEGER NOT NULL, deliveries INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(consumer, seq))
    WITHOUT ROWID""",
    # AUTOINCREMENT: a dead consumer's number is never given to a new one.
    """CREATE TABLE consumer(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, queue INTEGER NOT NULL,
    heartbeat REAL NOT NULL)""",
)

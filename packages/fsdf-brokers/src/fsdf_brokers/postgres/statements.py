"""The tables of POSTGRES and every statement on them: each is one round trip and one transaction.

A message is one row. It is ready where `consumer` and `due` are NULL, and ordered by rank (0 for the highest
priority) and id. A claim writes the consumer's number into the row; to go to the end of the queue is a new id.
Claims lock the consumer's own row, so that they end before it is buried, or find it gone.
"""

# ruff: noqa: S608 - only our own constants are put together

from __future__ import annotations

LOCK_CLASS = 1718838374
"""First key of the advisory locks of consumers; the second one is the consumer's number."""

_CREATION_LOCK = 7013402662

FIND_TABLES = "SELECT to_regclass('fsdf_queue'), to_regclass('fsdf_message'), to_regclass('fsdf_consumer')"

# IF NOT EXISTS alone does not keep two sessions from creating at once; the lock ends with the implicit transaction.
CREATE = f"""SELECT pg_advisory_xact_lock({_CREATION_LOCK});
CREATE SEQUENCE IF NOT EXISTS fsdf_message_id;
CREATE TABLE IF NOT EXISTS fsdf_queue(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS fsdf_consumer(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, queue int NOT NULL,
name text NOT NULL, beat timestamptz NOT NULL DEFAULT clock_timestamp(), entry int NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS fsdf_message(id bigint PRIMARY KEY DEFAULT nextval('fsdf_message_id'), queue int NOT NULL,
rank smallint NOT NULL, deliveries int NOT NULL DEFAULT 0, consumer int, due timestamptz, body bytea NOT NULL)
WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
CREATE INDEX IF NOT EXISTS fsdf_message_ready ON fsdf_message(queue, rank, id)
WHERE consumer IS NULL AND due IS NULL;
CREATE INDEX IF NOT EXISTS fsdf_message_due ON fsdf_message(queue, due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS fsdf_message_claimed ON fsdf_message(consumer) WHERE consumer IS NOT NULL"""

FIND_QUEUE = "SELECT id FROM fsdf_queue WHERE name = %s"
ADD_QUEUE = "INSERT INTO fsdf_queue(name) VALUES (%s) ON CONFLICT DO NOTHING"

# The planner's guesses about a table that is now empty and now full are worse than none.
SET_UP = "SET default_transaction_isolation = 'read committed'" + "".join(
    f"; SET enable_{method} = off" for method in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort")
)

SEND = """WITH sent AS (INSERT INTO fsdf_message(queue, rank, due, body)
SELECT %b::int, rank, CASE WHEN delay > 0 THEN statement_timestamp() + delay * interval '1 s' END, body
FROM unnest(%s::smallint[], %s::float8[], %b::bytea[]) AS t(rank, delay, body))
SELECT pg_notify(%s, '')"""

SIZE = """SELECT
(SELECT count(*) FROM fsdf_message WHERE queue = %(queue)b AND consumer IS NULL AND due IS NULL),
(SELECT count(*) FILTER (WHERE due <= statement_timestamp()) FROM fsdf_message WHERE queue = %(queue)b
AND due IS NOT NULL),
(SELECT count(*) FILTER (WHERE due > statement_timestamp()) FROM fsdf_message WHERE queue = %(queue)b
AND due IS NOT NULL),
(SELECT count(*) FROM fsdf_consumer c JOIN fsdf_message m ON m.consumer = c.id WHERE c.queue = %(queue)b)"""
PURGE = """DELETE FROM fsdf_message WHERE id IN (SELECT id FROM fsdf_message
WHERE queue = %b AND consumer IS NULL ORDER BY id FOR UPDATE SKIP LOCKED)"""

CLAIM = """WITH me AS MATERIALIZED (SELECT id FROM fsdf_consumer WHERE id = %(me)b AND entry = %(entry)b FOR SHARE),
chosen AS MATERIALIZED (SELECT id FROM fsdf_message WHERE queue = %(queue)b AND consumer IS NULL AND due IS NULL
AND EXISTS (SELECT 1 FROM me) ORDER BY rank, id LIMIT %(limit)b FOR UPDATE SKIP LOCKED)
UPDATE fsdf_message m SET consumer = %(me)b, deliveries = deliveries + 1 FROM chosen WHERE m.id = chosen.id
RETURNING m.rank, m.id, m.deliveries, m.body"""
LOOK = """SELECT EXISTS (SELECT 1 FROM fsdf_consumer WHERE id = %(me)b AND entry = %(entry)b),
extract(epoch FROM (SELECT min(due) FROM fsdf_message WHERE queue = %(queue)b AND due IS NOT NULL)
- clock_timestamp())::float8"""
PROMOTE = """WITH ripe AS MATERIALIZED (SELECT id FROM fsdf_message WHERE queue = %b
AND due <= statement_timestamp() ORDER BY due LIMIT 4000 FOR UPDATE SKIP LOCKED)
UPDATE fsdf_message m SET due = NULL, id = nextval('fsdf_message_id') FROM ripe WHERE m.id = ripe.id"""

ACK = "DELETE FROM fsdf_message WHERE id = ANY(%s::bigint[]) AND consumer = %b"
REQUEUE = """WITH mine AS MATERIALIZED (SELECT id FROM fsdf_message WHERE id = ANY(%s::bigint[]) AND consumer = %b
ORDER BY id FOR UPDATE),
back AS (UPDATE fsdf_message m SET id = nextval('fsdf_message_id'), consumer = NULL, deliveries = 0,
due = CASE WHEN %b::float8 > 0 THEN statement_timestamp() + %b::float8 * interval '1 s' END
FROM mine WHERE m.id = mine.id)
SELECT pg_notify(%s, '')"""
RELEASE = """WITH back AS (UPDATE fsdf_message SET consumer = NULL, deliveries = deliveries - 1
WHERE id = ANY(%s::bigint[]) AND consumer = %b)
SELECT pg_notify(%s, '')"""

ENTER = "UPDATE fsdf_consumer SET entry = %b WHERE id = %b"
RELEASE_UNKNOWN = """UPDATE fsdf_message SET consumer = NULL, deliveries = deliveries - 1
WHERE consumer = %b AND id <> ALL(%s::bigint[])"""

ENROL = "INSERT INTO fsdf_consumer(queue, name) VALUES (%b, %s) RETURNING id"
HOLD = f"SELECT pg_try_advisory_lock({LOCK_CLASS}, %b::int)"
# The owner cannot take its lock anew while this transaction buries it.
PROVE_DEAD = f"SELECT pg_try_advisory_xact_lock({LOCK_CLASS}, %b::int)"
BEAT = "UPDATE fsdf_consumer SET beat = clock_timestamp() WHERE id = %b"
OTHERS = f"""SELECT c.id, c.name, extract(epoch FROM clock_timestamp() - c.beat)::float8,
extract(epoch FROM c.beat)::float8, l.objid IS NOT NULL
FROM fsdf_consumer c LEFT JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = {LOCK_CLASS}
AND l.objid = c.id AND l.objsubid = 2 AND l.granted
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) WHERE c.id <> %b"""
FORGET = "DELETE FROM fsdf_consumer WHERE id = %b AND extract(epoch FROM beat)::float8 = %b RETURNING queue"
FORGET_ME = "DELETE FROM fsdf_consumer WHERE id = %b RETURNING queue"
GIVE_BACK = "UPDATE fsdf_message SET consumer = NULL WHERE consumer = %b"
NOTIFY = "SELECT pg_notify(%s, '')"


def channel(queue: int) -> str:
    """Return the channel on which a queue's messages are announced."""
    return f"fsdf_queue_{queue}"


def array(values: list[int] | list[float]) -> str:
    """Return the text of an array, which is quicker to write than the driver's own."""
    return f"{{{','.join(map(str, values))}}}"

"""POSTGRES: queues in PostgreSQL by psycopg 3. The client library is imported by the modules, not here."""

"""SQLALCHEMY: queues in PostgreSQL, MySQL, MariaDB or SQLite. The client library is imported by the modules."""

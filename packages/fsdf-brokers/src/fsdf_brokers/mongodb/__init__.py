"""MONGOMQ: queues in MongoDB by PyMongo. The client library is imported by the modules, not here."""

"""Brokers on RabbitMQ. The client libraries are imported by the modules of their links, not here."""

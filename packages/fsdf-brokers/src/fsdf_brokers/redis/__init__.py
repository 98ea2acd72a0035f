"""Brokers on Redis lists. The client library is imported by the modules, not here."""

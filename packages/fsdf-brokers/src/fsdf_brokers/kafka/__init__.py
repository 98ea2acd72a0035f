"""Brokers on Kafka topics. The client library is imported by the modules, not here."""

"""Brokers that need nothing but the interpreter."""

"""Executors whose calls run in other processes."""

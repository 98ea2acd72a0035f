"""What tests of several brokers set."""

import pytest


@pytest.fixture
def short_lease(monkeypatch):
    """A silent consumer loses its messages after three seconds."""
    monkeypatch.setenv("FSDF_LEASE_LIMIT", "3")

"""Gives every test of the workspace the fixtures that start real servers."""

import sys
from pathlib import Path

# pytest's importlib mode leaves sys.path alone, and `tests` is no installed package.
sys.path.insert(0, str(Path(__file__).parent))

pytest_plugins = ["tests.servers.fixtures"]

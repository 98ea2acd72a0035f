"""Who may import whom: pools and core know nobody, the rest knows core, the facade knows them."""

import ast
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent.parent / "packages"
ALLOWED = {
    "fsdf_pools": set(),
    "fsdf_core": set(),
    "fsdf_control": {"fsdf_core"},
    "fsdf_brokers": {"fsdf_core"},
    "fsdf_web": {"fsdf_core", "fsdf_control"},
    "fsdf_cli": {"fsdf_core", "fsdf_control", "fsdf"},
    "fsdf": {"fsdf_core", "fsdf_pools", "fsdf_control", "fsdf_brokers", "fsdf_web"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_every_package_has_a_rule():
    assert {folder.name.replace("-", "_") for folder in PACKAGES.iterdir()} == set(ALLOWED)


@pytest.mark.parametrize("package", ALLOWED)
def test_direction(package):
    files = list((PACKAGES / package.replace("_", "-") / "src").rglob("*.py"))
    assert files
    ours = {name.partition(".")[0] for path in files for name in imported(path)} & set(ALLOWED)
    assert ours <= ALLOWED[package] | {package}

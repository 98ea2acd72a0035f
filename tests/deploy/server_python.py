"""A Python with fsdf that the user of a test's sshd may run.

That user is not us if we are root, and our Python may lie where only root may look. Then its files are linked to a
folder that everybody may read.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from packaging.requirements import Requirement

import fsdf

MEMBERS = Path(fsdf.__file__).parents[3]
_EXTRAS = ("", "sqlalchemy")
_NOT_NEEDED = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo"}


def server_python(folder: Path, user: str | None) -> str:
    """Return the path of a Python that has fsdf and what it needs, and nothing else if it must be made."""
    if user is None:
        return sys.executable
    real = Path(sys.executable).resolve()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    home = folder / "python"
    (home / "bin").mkdir(parents=True)
    _link(real, home / "bin" / version)
    library = Path(os.__file__).parent
    _link_tree(library, home / "lib" / version)
    for shared in Path(sysconfig.get_config_var("LIBDIR") or library).glob("libpython*.so*"):
        _link(shared, home / "lib" / shared.name)
    site = home / "lib" / version / "site-packages"
    for name in _needed("fsdf", set()):
        _link_distribution(name, site)
    program = folder / "bin" / "python"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nexport LD_LIBRARY_PATH="{home}/lib"\nexec "{home}/bin/{version}" "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    program.with_name("python3").symlink_to(program)
    return str(program)


def _needed(name: str, seen: set[str]) -> set[str]:
    if name not in seen:
        seen.add(name)
        for line in importlib.metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in _EXTRAS):
                _needed(requirement.name, seen)
    return seen


def _link_distribution(name: str, site: Path) -> None:
    members = MEMBERS / name / "src"
    if members.exists():
        _link_tree(members, site)
    for file in importlib.metadata.files(name) or ():
        if ".." not in file.parts and not file.name.endswith(".pth"):
            _link(Path(str(file.locate())), site / file)


def _link_tree(source: Path, target: Path) -> None:
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if name not in _NOT_NEEDED and not name.startswith("config-")]
        for name in names:
            _link(Path(folder, name), target / Path(folder).relative_to(source) / name)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    source = source.resolve()
    try:
        os.link(source, target)
    except OSError:
        if source.exists():
            shutil.copy2(source, target)

"""The project's files on the server: which are missing, and how they come there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

Manifest = dict[str, list[Any]]
"""Path → size in bytes, SHA-256 in hex, permissions."""
_MANIFEST = "manifest.json"


def plan(project: Path, own: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return the paths of the request's manifest whose contents are not on the server."""
    known = _known(own)
    return {
        "wanted": [
            path for path, (size, digest, _) in request["files"].items() if not _has(project, path, size, digest, known)
        ]
    }


def apply(project: Path, own: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Put the files of an archive in their places, each in one step, and delete those that the project lost.

    Files that no deployment has brought are left alone.

    Raises:
        ValueError: the archive does not hold what the manifest says, or leads out of the project.
    """
    files: Manifest = request["files"]
    archive, known = own / request["archive"], _known(own)
    try:
        came = _unpack(project, own, archive, files) if archive.exists() else []
    finally:
        archive.unlink(missing_ok=True)
    removed = [path for path in known if path not in files and _remove(project, path)]
    stats: dict[str, list[Any]] = {}
    for path, (size, digest, mode) in files.items():
        place = _place(project, path)
        if place.stat().st_mode & 0o777 != mode:
            place.chmod(mode)
        stats[path] = [size, digest, place.stat().st_mtime_ns]
    partial = own / f"{_MANIFEST}.new"
    partial.write_text(json.dumps(stats), encoding="utf-8")
    partial.replace(own / _MANIFEST)
    return {"came": came, "removed": removed}


def _unpack(project: Path, own: Path, archive: Path, files: Manifest) -> list[str]:
    came = []
    partial = own / f"{archive.name}.file"
    with tarfile.open(archive, "r:gz") as packed:
        for member in packed:
            if member.name not in files or not member.isfile():
                raise ValueError(f"the archive holds {member.name!r}, which the manifest does not")
            source = packed.extractfile(member)
            content = b"" if source is None else source.read()
            if hashlib.sha256(content).hexdigest() != files[member.name][1]:
                raise ValueError(f"{member.name} has changed while it was uploaded: deploy again")
            partial.write_bytes(content)
            partial.chmod(files[member.name][2])
            place = _place(project, member.name)
            _make_room(project, place)
            partial.replace(place)
            came.append(member.name)
    return came


def _make_room(project: Path, place: Path) -> None:
    """Make the folder of a file, where a file of that name may have been before."""
    for above in reversed([each for each in place.parents if project in each.parents]):
        if above.exists() and not above.is_dir():
            above.unlink()
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        for folder, _, names in os.walk(place, topdown=False):
            if not names:
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()


def _has(project: Path, path: str, size: int, digest: str, known: Manifest) -> bool:
    place = _place(project, path)
    try:
        status = place.stat()
    except OSError:
        return False
    if not place.is_file() or status.st_size != size:
        return False
    if known.get(path) == [size, digest, status.st_mtime_ns]:
        return True
    return hashlib.sha256(place.read_bytes()).hexdigest() == digest


def _remove(project: Path, path: str) -> bool:
    place = _place(project, path)
    if not place.is_file():
        return False
    place.unlink()
    for folder in place.parents:
        if folder == project:
            break
        try:
            folder.rmdir()
        except OSError:
            break
    return True


def _place(project: Path, path: str) -> Path:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ValueError(f"{path!r} is no path inside the project")
    return project / pure


def _known(own: Path) -> Manifest:
    try:
        found: Manifest = json.loads((own / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found

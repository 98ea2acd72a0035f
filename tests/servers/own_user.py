"""Servers that refuse to run as root run as a user of their own, in a folder of that user."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def own_user(*names: str) -> str | None:
    """Return the first user that exists, `nobody` failing all; None if we are not root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd  # not on Windows

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in names if name in known), "nobody")


def own_folder(prefix: str, user: str | None) -> Path:
    """Make a folder that the user owns; pytest's own are closed to all but us, and too long for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix=f"fsdf-{prefix}-"))
    if user is not None:
        shutil.chown(folder, user)
    return folder

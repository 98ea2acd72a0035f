"""An sshd that runs as root on 127.0.0.1, since only root can check passwords; and the user who logs in with one."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.deploy.sshd import SSHServer, answers
from tests.servers.own_user import own_folder
from tests.servers.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATION = Path("/run/sshd")
"""Where sshd keeps its unprivileged part; empty, and there as long as a service of the system has run."""


class PasswordSSHServer(ServerProcess):
    """A running sshd, and a user made for it.

    Args:
        executable: path of sshd.
        other: whose host key and Python it uses.
        user: who logs in; the home folder is `home`.
    """

    key = None

    def __init__(self, executable: str, other: SSHServer, user: str) -> None:
        self.user = user
        self.password = secrets.token_urlsafe(20)
        self.host_key, self.python = other.host_key, other.python
        self.folder = own_folder("password-sshd", None)
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        lines = {
            "ListenAddress": "127.0.0.1",
            "HostKey": self._host_key_of_root(other),
            "PidFile": "none",
            "UsePAM": "no",
            "PasswordAuthentication": "yes",
            "AllowUsers": user,
            "Subsystem": "sftp internal-sftp",
            "SetEnv": f"PATH={Path(self.python).parent}:/usr/bin:/bin",
        }
        options = [word for name, value in lines.items() for word in ("-o", f"{name}={value}")]
        super().__init__(
            lambda port: [executable, "-D", "-e", "-f", "/dev/null", "-p", str(port), *options], answers, self.folder
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Make the user and start; in the end stop, and delete the user."""
        made = not _SEPARATION.exists()
        _SEPARATION.mkdir(mode=0o755, exist_ok=True)
        try:
            _run("useradd", "-M", "-N", "-l", "-d", self.home, "-s", "/bin/sh", self.user)
            try:
                _run("chpasswd", given=f"{self.user}:{self.password}\n")
                self.home.mkdir()
                shutil.chown(self.home, self.user)
                self.start()
                yield
            finally:
                self.stop()
                _run("userdel", "-f", self.user)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            if made:
                _SEPARATION.rmdir()

    def _host_key_of_root(self, other: SSHServer) -> Path:
        path = self.folder / "host"
        shutil.copy(other.folder / "host", path)
        os.chown(path, 0, 0)
        path.chmod(0o600)
        return path


def _run(*words: str | Path, given: str = "") -> None:
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stderr}"

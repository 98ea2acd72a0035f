"""An sshd for tests, on a free port of 127.0.0.1, with keys of its own; root has it run as another user."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from fsdf_cli.deployment.agent import identity
from tests.deploy.server_python import server_python
from tests.servers.own_user import own_folder
from tests.servers.process import ServerProcess

_SHELLS = ("/bin/bash", "/bin/sh", "/usr/bin/bash", "/usr/bin/sh")


class SSHServer(ServerProcess):
    """A running sshd.

    Args:
        executable: path of sshd.

    Attributes:
        folder: everything of the server's; the user's home folder there is `home`.
        user: who logs in.
        key: file of the private key that is let in.
        host_key: the server's public key.
        python: a Python there that has fsdf.
    """

    def __init__(self, executable: str) -> None:
        import pwd  # not on Windows

        account = login_user()
        self.user = pwd.getpwuid(os.geteuid()).pw_name if account is None else account
        self.folder = own_folder("sshd", account)
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.key = self._make_key("login")
        self.host_key = self._make_key("host").with_suffix(".pub").read_text(encoding="utf-8").strip()
        self.home.mkdir()
        allowed = self.folder / "authorized_keys"
        shutil.copy(self.key.with_suffix(".pub"), allowed)
        self.python = server_python(self.folder, account)
        for path in (self.home, self.folder / "host", allowed):
            shutil.chown(path, self.user)
        lines = {
            "ListenAddress": "127.0.0.1",
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": allowed,
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "yes",
            "Subsystem": "sftp internal-sftp",
            "SetEnv": f"HOME={self.home} PATH={Path(self.python).parent}:/usr/bin:/bin",
        }
        options = [word for name, value in lines.items() for word in ("-o", f"{name}={value}")]
        super().__init__(
            lambda port: [executable, "-D", "-e", "-f", "/dev/null", "-p", str(port), *options],
            answers,
            self.folder,
            user=account,
        )

    def remove(self) -> None:
        """Stop it, end what failed tests have left running, and delete its folder."""
        self.stop()
        for path in [*self.home.glob("*/.fsdf-deploy/*.json"), *self.home.glob("*/.fsdf-deploy/*.starting")]:
            record = json.loads(path.read_text(encoding="utf-8"))
            if "pid" in record:
                identity.end(record, 10.0)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_key(self, name: str) -> Path:
        path = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True, timeout=60)
        return path


def login_user() -> str | None:
    """Return a user who may log in and is not root; None if we are not root, and log in as ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd  # as above

    users = [entry for entry in pwd.getpwall() if entry.pw_uid and entry.pw_shell in _SHELLS]
    assert users, "there is no user with a shell but root: hatch run servers postgresql"
    return min(users, key=lambda entry: entry.pw_name != "postgres").pw_name


def answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        return connection.recv(4) == b"SSH-"

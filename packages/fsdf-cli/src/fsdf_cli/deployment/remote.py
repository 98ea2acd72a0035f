"""Requests to the agent in a project's folder on a server."""

from __future__ import annotations

import io
import json
import posixpath
import shlex
import tarfile
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_cli.deployment.agent import main as agent_main
from fsdf_cli.deployment.agent.workers import PROVEN, TRIAL
from fsdf_cli.deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_cli.deployment.project import Project

OWN = ".fsdf-deploy"
"""Folder of the agent, the records and the log files inside the project's folder."""
_PACKAGE = "fsdf_deployment_agent"
_FOLDER = "FSDF_DEPLOYMENT_FOLDER"
_START = f"import os, sys; sys.path.insert(0, os.environ['{_FOLDER}']); from {_PACKAGE}.main import main; main()"
_SPARE = 60.0


class RemoteProject:
    """A project's folder on a server.

    Args:
        connection: an open `fabric.Connection`.
        folder: its path there, from the home folder or absolute.
    """

    def __init__(self, connection: Any, folder: str) -> None:
        self._connection = connection
        self.folder = folder
        self.own = posixpath.join(folder, OWN)

    def install(self, name: str, python: str, lines: Sequence[str]) -> None:
        """Put the agent there, and the script that runs Python for a deployment, on trial until its workers consume."""
        sftp = self._sftp()
        self._make_folder(sftp, posixpath.join(self.own, _PACKAGE))
        sftp.chmod(self.own, 0o700)
        here = Path(agent_main.__file__).parent
        for path in sorted(here.glob("*.py")):
            inside = path.name if path.name == "launch.py" else f"{_PACKAGE}/{path.name}"
            self._write(sftp, inside, path.read_bytes())
        self._write(sftp, f"{name}{TRIAL}", _script(python, lines).encode())

    def upload(self, project: Project, wanted: Sequence[str]) -> str:
        """Upload files as one archive; return its name."""
        archive = f"{uuid.uuid4().hex}.tar.gz"
        with tempfile.TemporaryFile() as packed:
            with tarfile.open(fileobj=packed, mode="w:gz") as tar:
                for path in wanted:
                    content = (project.root / path).read_bytes()
                    member = tarfile.TarInfo(path)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
            packed.seek(0)
            self._sftp().putfo(packed, posixpath.join(self.own, archive))
        return archive

    def ask(
        self, request: dict[str, Any], name: str | None = None, timeout: float = 60.0, kind: str = PROVEN
    ) -> dict[str, Any]:
        """Send the agent a request and return its answer.

        Args:
            request: `action` and what it needs.
            name: the deployment whose Python runs the agent; None: any.
            timeout: seconds without an answer.
            kind: which script of the deployment: `PROVEN` or `TRIAL`.

        Raises:
            DeploymentError: it failed, or there is none.
        """
        scripts = self._scripts(name, kind)
        if not scripts:
            raise DeploymentError(f"nothing was deployed to {self.folder}")
        words = ["sh", posixpath.join(self.own, scripts[0]), "-I", "-B", "-c", _START]
        status, output = self._run(shlex.join(words), json.dumps(request).encode(), timeout + _SPARE)
        _, mark, answer = output.rpartition(f"\n{agent_main.MARK}")
        if not mark:
            raise DeploymentError(f"Python did not start on the server (status {status})", output)
        found: dict[str, Any] = json.loads(answer)
        if "failure" in found:
            raise DeploymentError(found["failure"], found["traceback"])
        return found

    def _scripts(self, name: str | None, kind: str) -> list[str]:
        try:
            found = sorted(each for each in self._sftp().listdir(self.own) if each.endswith(kind))
        except OSError:
            return []
        return [each for each in found if name is None or each == name + kind]

    def _run(self, command: str, stdin: bytes, timeout: float) -> tuple[int, str]:
        # Not fabric's run(), which passes standard input on a character at a time.
        channel = self._connection.transport.open_session(timeout=timeout)
        try:
            channel.settimeout(timeout)
            channel.set_combine_stderr(True)
            channel.exec_command(command)
            channel.sendall(stdin)
            channel.shutdown_write()
            output = b"".join(iter(lambda: channel.recv(65536), b"")).decode("utf-8", "replace")
            return channel.recv_exit_status(), output
        except TimeoutError:
            raise DeploymentError(f"the server gives no answer within {timeout:g} seconds") from None
        finally:
            channel.close()

    def _sftp(self) -> Any:
        try:
            return self._connection.sftp()
        except Exception as error:
            raise DeploymentError(f"the server offers no SFTP: {error}") from error

    def _write(self, sftp: Any, name: str, content: bytes) -> None:
        path = posixpath.join(self.own, name)
        with sftp.open(f"{path}.new", "wb") as file:
            file.chmod(0o600)
            file.write(content)
        sftp.posix_rename(f"{path}.new", path)

    def _make_folder(self, sftp: Any, path: str) -> None:
        made = "/" if path.startswith("/") else ""
        for part in path.strip("/").split("/"):
            made = posixpath.join(made, part)
            try:
                sftp.stat(made)
            except OSError:
                try:
                    sftp.mkdir(made, 0o700)
                except OSError as error:
                    raise DeploymentError(f"the folder {made} cannot be made on the server: {error}") from None


def _script(python: str, lines: Sequence[str]) -> str:
    return "\n".join(
        [
            "# Runs Python for a deployment of fsdf, in the project's folder.",
            'if [ -z "$BASH_VERSION" ] && command -v bash >/dev/null 2>&1; then exec bash "$0" "$@"; fi',
            'cd "$(dirname "$0")/.." || exit 1',
            f'export {_FOLDER}="$(pwd)/{OWN}"',
            *lines,
            f'exec {_quoted(python)} "$@"',
            "",
        ]
    )


def _quoted(path: str) -> str:
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)

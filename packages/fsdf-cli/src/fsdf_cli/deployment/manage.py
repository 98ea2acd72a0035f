"""What is deployed on a server: how it does, what it logs, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_cli.deployment.remote import RemoteProject

if TYPE_CHECKING:
    from fsdf_cli.deployment.server import Server


def status(server: Server, folder: str, name: str | None = None) -> list[dict[str, Any]]:
    """Return the deployments in a project's folder on a server: name, queue, module, pid, processes, since, running.

    Args:
        server: the server.
        folder: the project's folder there, such as "codes/shop".
        name: only this one.

    Raises:
        DeploymentError: nothing was deployed there, or the server gives no answer.
    """
    found: list[dict[str, Any]] = _ask(server, folder, name, {"action": "status"})["deployments"]
    return found


def logs(server: Server, folder: str, name: str | None = None, lines: int = 100) -> dict[str, list[str]]:
    """Return the last lines that deployments have written, by name. Arguments and errors as `status`."""
    found: dict[str, list[str]] = _ask(server, folder, name, {"action": "logs", "lines": lines})["logs"]
    return found


def stop(server: Server, folder: str, name: str | None = None, timeout: float = 60.0) -> dict[str, str]:
    """End deployments: SIGTERM, so that running tasks finish; SIGKILL after `timeout` seconds.

    Returns:
        By name: "ended", "killed" or "was gone".

    Raises:
        DeploymentError: as `status`.
    """
    request = {"action": "stop", "stop_timeout": timeout}
    found: dict[str, str] = _ask(server, folder, name, request, timeout)["ended"]
    return found


def _ask(
    server: Server, folder: str, name: str | None, request: dict[str, Any], timeout: float = 60.0
) -> dict[str, Any]:
    with server.connected() as connection:
        remote = RemoteProject(connection, folder)
        return remote.ask({**request, "name": name}, name, timeout)

"""Deploys the worker processes of a task to a server, and looks after them there."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_cli.deployment.agent.workers import TRIAL
from fsdf_cli.deployment.errors import DeploymentError
from fsdf_cli.deployment.options import DeployOptions, sorted_out
from fsdf_cli.deployment.project import Project
from fsdf_cli.deployment.remote import RemoteProject
from fsdf_cli.deployment.server import Server
from fsdf_core.config_modules import project_root
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf.booster import Booster

_RESERVED = frozenset({"manifest", "lock", "launch"})
_logger = logging.getLogger("fsdf.deploy")


@dataclasses.dataclass(frozen=True)
class Deployed:
    """A deployment that consumes.

    Attributes:
        name: of the deployment, for `status`, `logs` and `stop`.
        folder: the project's on the server.
        pid: of the supervisor on the server.
        uploaded: paths of the files that had changed.
        removed: paths deleted, because the project has them no more.
        too_large: paths left out because of their size.
        before: what became of the earlier deployment: "" (there was none), "ended" (its tasks have finished),
            "killed" (they had not in time), "was gone".
    """

    name: str
    folder: str
    pid: int
    uploaded: list[str]
    removed: list[str]
    too_large: list[str]
    before: str


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a function is in its project.

    Attributes:
        module: name of its module, as the server imports it.
        paths: folders inside the project to import from.
        root: the project's folder.
    """

    module: str
    paths: list[str]
    root: Path


def fabric_deploy(booster: Booster[Any, Any], server: Server, options: DeployOptions) -> Deployed:
    """Upload the function's project and run its worker processes on a server; replace an earlier deployment of it.

    The new processes consume before the old ones are told to end. If they do not begin to, the old ones stay.

    Raises:
        ConfigurationError: an option makes no sense, or the server cannot import the function.
        DeploymentError: it did not work; with the server's output. HostKeyRefused: it is not the expected server.
        MissingDependency: fabric is not installed.
    """
    place = place_of(booster, options.project_dir)
    name = name_of_queue(booster.queue_name)
    project = Project.read(place.root, options.filters)
    if project.too_large:
        _logger.warning("not uploaded, larger than %d bytes: %s", options.file_volume_limit, project.too_large)
    with server.connected() as connection:
        remote = RemoteProject(connection, remote_folder(options.remote_dir, place.root))
        remote.install(name, options.python, options.shell_lines)
        files = {path: list(facts) for path, facts in project.files.items()}
        wanted = remote.ask({"action": "plan", "files": files}, name, kind=TRIAL)["wanted"]
        archive = remote.upload(project, wanted) if wanted else "none"
        applied = remote.ask({"action": "apply", "files": files, "archive": archive}, name, kind=TRIAL)
        begun = remote.ask(
            {
                "action": "start", "name": name, "module": place.module, "paths": place.paths,
                "registry": booster.boost_params.booster_registry_name, "queue": booster.queue_name,
                "processes": options.process_num, "max_processes": options.max_process_num,
                "env": dict(options.env), "start_timeout": options.start_timeout, "stop_timeout": options.stop_timeout,
            },
            name,
            options.start_timeout + options.stop_timeout,
            TRIAL,
        )  # fmt: skip
    if begun["error"]:
        raise DeploymentError(f"{booster.queue_name} does not run on {server.host}: {begun['error']}", begun["output"])
    _logger.info("%s runs on %s, pid %s, %d file(s) uploaded", name, server.host, begun["pid"], len(wanted))
    return Deployed(
        name, remote.folder, begun["pid"], applied["came"], applied["removed"], project.too_large, begun["before"]
    )


def deploy_with(booster: Booster[Any, Any], host: str, **given: Any) -> Deployed:
    """Deploy with options of the server and of the deployment together, old names too."""
    of_server, of_deployment = sorted_out(given, Server, DeployOptions)
    return fabric_deploy(booster, Server(host, **of_server), DeployOptions(**of_deployment))


def name_of_queue(queue: str) -> str:
    """Return the name of a queue's deployment: the queue's, changed where file names do not allow it."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", queue)
    if plain == queue and plain not in _RESERVED and not plain.startswith("."):
        return plain
    return f"q-{plain}-{hashlib.sha256(queue.encode()).hexdigest()[:8]}"


def remote_folder(given: str | None, root: Path) -> str:
    """Return the project's folder on the server."""
    folder = given or f"codes/{root.name}"
    return folder.removeprefix("~/").rstrip("/") or "/"


def place_of(booster: Booster[Any, Any], project_dir: str | Path | None = None) -> Place:
    """Return where a function is.

    Raises:
        ConfigurationError: it is in no file of the project.
    """
    function = booster.consuming_function
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None)
    spec = getattr(module, "__spec__", None)
    if file is None or not Path(file).is_file():
        raise ConfigurationError(f"{function.__qualname__} was typed in: only functions in files can be deployed")
    path = Path(file).resolve()
    name = spec.name if spec is not None else function.__module__
    if name in {"__main__", "__mp_main__"}:
        name = path.stem
    parts = name.split(".")
    # `python -m package` runs package/__main__.py; a package's functions may be in its __init__.py.
    levels = len(parts) if path.name == "__init__.py" else len(parts) - 1
    base = path.parents[levels]
    root = Path(project_dir).resolve() if project_dir is not None else project_root(base)
    if not base.is_relative_to(root) or "site-packages" in path.relative_to(root).parts:
        raise ConfigurationError(f"{path} is not in the project {root}: give its folder as project_dir")
    paths = [base.relative_to(root).as_posix(), *([] if base == root else ["."])]
    return Place(name, paths, root)

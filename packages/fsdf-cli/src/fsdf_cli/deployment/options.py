"""What can be said about a deployment."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path  # noqa: TC003 - readers of the annotations need it
from typing import TYPE_CHECKING, Any

from fsdf_cli.deployment.project import SUFFIXES_LEFT_OUT, Filters
from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RENAMED = {
    "path_pattern_exluded_tuple": "path_pattern_excluded_tuple",
    "file_suffix_tuple_exluded": "file_suffix_tuple_excluded",
    "python_interpreter": "python",
    "pkey_file_path": "key",
}
_WITHOUT_EFFECT = {
    "only_upload_within_the_last_modify_time": "files whose contents have changed are uploaded",
    "sftp_log_level": "set the level of the logger paramiko",
    "invoke_runner_kwargs": "commands are not run by invoke",
}


@dataclasses.dataclass(frozen=True)
class DeployOptions:
    """How a project is deployed.

    Attributes:
        process_num: worker processes; the fewest, if `max_process_num` is given.
        max_process_num: the number follows the queue's length up to this one; default None.
        project_dir: folder to upload; default: the nearest folder upward of the function's file that has
            `fsdf_config.py`, `pyproject.toml` or `.git`.
        remote_dir: folder on the server, from the home folder or absolute; default `codes/<name of project_dir>`.
        python: the server's Python, which has fsdf; default "python3".
        extra_shell_str: shell lines, or a list of them, that run in the server's project folder before Python starts,
            such as "source ~/venv/bin/activate".
        env: environment variables of the worker processes, such as the URLs of brokers. They are sent through the
            connection, never on a command line or to a file.
        path_pattern_excluded_tuple: regular expressions; paths ("/app/data/x") in which one is found stay here.
        file_suffix_tuple_excluded: endings of names of files that stay here.
        file_volume_limit: bytes; larger files stay here, and a warning names them. Default 10 MB.
        total_volume_limit: bytes of all files; more is an error. Default 200 MB.
        start_timeout: seconds in which the processes must have begun to consume; default 60.
        stop_timeout: seconds that the earlier processes have to finish their tasks before they are killed; default 60.
    """

    process_num: int = 1
    max_process_num: int | None = None
    project_dir: str | Path | None = None
    remote_dir: str | None = None
    python: str = "python3"
    extra_shell_str: str | Sequence[str] = ""
    env: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    path_pattern_excluded_tuple: Sequence[str] = ()
    file_suffix_tuple_excluded: Sequence[str] = SUFFIXES_LEFT_OUT
    file_volume_limit: int = 10_000_000
    total_volume_limit: int = 200_000_000
    start_timeout: float = 60.0
    stop_timeout: float = 60.0

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ConfigurationError: a value makes no sense.
        """
        if type(self.process_num) is not int or self.process_num < 1:
            raise ConfigurationError(f"process_num is 1 or more, not {self.process_num!r}")
        for name, value in self.env.items():
            if not name.isidentifier() or not isinstance(value, str):
                raise ConfigurationError(f"env maps names of variables to text; {name!r} does not")

    @property
    def filters(self) -> Filters:
        """What of the project is left out."""
        return Filters(
            self.path_pattern_excluded_tuple,
            tuple(self.file_suffix_tuple_excluded),
            self.file_volume_limit,
            self.total_volume_limit,
        )

    @property
    def shell_lines(self) -> list[str]:
        """The extra shell lines."""
        given = self.extra_shell_str
        return given.splitlines() if isinstance(given, str) else list(given)


def sorted_out(given: Mapping[str, Any], *targets: type[Any]) -> list[dict[str, Any]]:
    """Return the options that belong to each of the dataclasses; old names warn.

    Raises:
        ConfigurationError: a name is unknown; suggests the nearest.
    """
    known = {field.name: place for place, target in enumerate(targets) for field in dataclasses.fields(target)}
    found: list[dict[str, Any]] = [{} for _ in targets]
    for name, value in given.items():
        if name in _WITHOUT_EFFECT:
            _warn(f"{name!r} has no effect: {_WITHOUT_EFFECT[name]}")
            continue
        new = _RENAMED.get(name, name)
        if new != name:
            _warn(f"{name!r} is called {new!r} now")
        if new not in known:
            raise ConfigurationError(f"fabric_deploy has no option {name!r}.{did_you_mean(name, known)}")
        found[known[new]][new] = value
    return found


def _warn(text: str) -> None:
    warnings.warn(f"fabric_deploy: {text}", DeprecationWarning, stacklevel=5)

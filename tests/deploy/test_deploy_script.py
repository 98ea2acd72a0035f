"""Broken projects, and projects that are one script."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsdf_cli.deployment import DeployOptions, Server, status
from fsdf_cli.deployment.options import sorted_out
from fsdf_core.errors import ConfigurationError
from tests.examples.doc_blocks import programs

PAGE = Path(__file__).parents[2] / "docs/deploying.md"

ON_THE_SERVER = "\nimport os\nif os.environ.get('FSDF_DEPLOYED'):\n    "


def running(project):
    return [each["pid"] for each in status(project.server, str(project.there)) if each["running"]]


def test_a_broken_project_tells_its_traceback_and_the_earlier_deployment_stays(project):
    first = project.deploy()
    assert first.get("error") is None, first["error"]
    project.write_tasks(2, ON_THE_SERVER + "raise RuntimeError('half an edit')\n")
    broken = project.deploy()
    assert broken["type"] == "DeploymentError", broken
    assert "before it consumed" in broken["error"]
    assert "Traceback" in broken["error"]
    assert "RuntimeError: half an edit" in broken["error"]
    assert running(project) == [first["pid"]]
    wrong = project.deploy(python="/nonexistent/python")
    assert "Python did not start on the server" in wrong["error"]
    assert "/nonexistent/python" in wrong["error"]


def test_the_documented_script_deploys_itself_and_the_command_looks_after_it(project, tmp_path):
    (program,), _ = programs(PAGE)
    called = 'fabric_deploy("worker1.example"'
    assert called in program.source
    project.write("run.py", program.source.replace(called, f"{called}, remote_dir={str(project.there)!r}"))
    sshd, ssh = project.sshd, tmp_path / "user/.ssh"
    ssh.mkdir(parents=True)
    (ssh / "config").write_text(
        f"Host worker1.example\n HostName 127.0.0.1\n Port {sshd.port}\n User {sshd.user}\n IdentityFile {sshd.key}\n",
        encoding="utf-8",
    )
    (ssh / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {sshd.host_key}\n", encoding="utf-8")
    environment = {**os.environ, "HOME": str(tmp_path / "user")}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=project.folder, env=environment, capture_output=True, text=True, timeout=200,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(word: str, *more: str) -> str:
        where = ["worker1.example", "--remote-dir", str(project.there)]
        return run("-m", "fsdf_cli", "deploy", word, *where, *more)

    assert run("run.py").splitlines() == list(program.prints)
    assert "ignores it" in command("logs", "-q", "deployed-sums")
    assert " runs " in command("status")
    assert command("stop") == "deployed-sums: ended\n"


def test_the_page_names_every_option():
    text = PAGE.read_text(encoding="utf-8")
    names = [field.name for target in (Server, DeployOptions) for field in dataclasses.fields(target)]
    assert not [name for name in names if f"`{name}" not in text]


def test_old_names_warn_and_unknown_ones_are_refused():
    with pytest.warns(DeprecationWarning, match="'python_interpreter' is called 'python' now"):
        assert sorted_out({"python_interpreter": "py", "user": "anna"}, Server, DeployOptions) == [
            {"user": "anna"},
            {"python": "py"},
        ]
    with pytest.warns(DeprecationWarning, match="'sftp_log_level' has no effect"):
        assert sorted_out({"sftp_log_level": 20}, Server, DeployOptions) == [{}, {}]
    with pytest.raises(ConfigurationError, match="no option 'proces_num'. Did you mean 'process_num'"):
        sorted_out({"proces_num": 2}, Server, DeployOptions)

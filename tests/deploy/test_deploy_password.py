"""Deployment with a password, checked by a real sshd; where the tests do not run as root there is none that could."""

from __future__ import annotations

import dataclasses
import logging
import os
from pathlib import Path

import pytest

from fsdf_cli.deployment import DeploymentError, status, stop
from tests.deploy.conftest import LocalProject
from tests.deploy.password_sshd import PasswordSSHServer
from tests.servers.fixtures import need

if hasattr(os, "geteuid") and os.geteuid() == 0:

    @pytest.fixture(scope="module")
    def password_sshd(sshd):
        """The server."""
        server = PasswordSSHServer(need("sshd"), sshd, f"fsdf-test-{os.getpid()}")
        with server.running():
            yield server

    @pytest.fixture
    def project(password_sshd, tmp_path):
        """A project that is deployed nowhere."""
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        one = LocalProject(tmp_path / "project", password_sshd, "by-password")
        one.server = dataclasses.replace(one.server, password=password_sshd.password)
        yield one
        if (one.there / ".fsdf-deploy").exists():
            stop(one.server, str(one.there), timeout=10)

    def test_a_wrong_password_deploys_nothing_and_is_not_told(project):
        refused = project.deploy(key=None, password="wr0ng-s3cret")
        assert refused["type"] == "DeploymentError"
        assert f"{project.sshd.user}@127.0.0.1:{project.sshd.port} refuses the password" in refused["error"]
        assert "wr0ng" not in refused["error"]
        assert not list(project.sshd.home.iterdir())

    @pytest.mark.parametrize("changes", [{"password": ""}, {"user": "root"}])
    def test_no_password_and_that_of_another_user_are_refused_alike(project, changes):
        with pytest.raises(DeploymentError, match="refuses the password"):
            status(dataclasses.replace(project.server, **changes), "codes/nothing")

    def test_the_right_password_deploys_runs_and_stops(project):
        done = project.deploy(key=None, password=project.sshd.password)
        assert done.get("error") is None, done["error"]
        (found,) = status(project.server, str(project.there))
        assert (found["running"], found["pid"]) == (True, done["pid"])
        assert Path(f"/proc/{found['pid']}").stat().st_uid == project.there.stat().st_uid != 0
        assert project.there.owner() == project.sshd.user
        kept = [path.read_bytes() for path in project.there.rglob("*") if path.is_file()]
        assert not any(project.sshd.password.encode() in each for each in kept)
        stop(project.server, str(project.there), timeout=30)
        assert not any(each["running"] for each in status(project.server, str(project.there)))

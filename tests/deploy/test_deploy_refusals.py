"""What a server or a project refuses, and how that is told."""

from __future__ import annotations

import dataclasses
import signal
import socket
import subprocess
import sys

import pytest

from fsdf_cli.deployment import DeploymentError, DeployOptions, HostKeyRefused, Server, status, stop
from fsdf_cli.deployment.agent import files, identity
from fsdf_cli.deployment.project import Filters, Project
from fsdf_core.errors import ConfigurationError

NOTHING = "nothing was deployed"


def told_by(server):
    with pytest.raises(DeploymentError) as caught:
        status(server, "codes/nothing")
    return caught.value


def test_an_unknown_server_is_refused_with_its_fingerprint(project, tmp_path):
    unknown = dataclasses.replace(project.server, host_key=None, known_hosts=tmp_path / "none")
    error = told_by(unknown)
    assert isinstance(error, HostKeyRefused)
    fingerprint = str(error).partition("host_key=")[2].strip('"')
    assert fingerprint.startswith("SHA256:")
    assert NOTHING in str(told_by(dataclasses.replace(unknown, host_key=fingerprint)))
    assert NOTHING in str(told_by(dataclasses.replace(unknown, check_host_key=False)))


def test_another_host_key_is_refused(project, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True, timeout=60)
    other = (tmp_path / "k.pub").read_text(encoding="utf-8").strip()
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{project.sshd.port} {other}\n", encoding="utf-8")
    for server in (
        dataclasses.replace(project.server, host_key=other),
        dataclasses.replace(project.server, host_key="SHA256:" + "A" * 43),
        dataclasses.replace(project.server, host_key=None, known_hosts=known),
    ):
        error = told_by(server)
        assert isinstance(error, HostKeyRefused)
        assert "not the server that is known" in str(error)
    known.write_text(f"[127.0.0.1]:{project.sshd.port} {project.sshd.host_key}\n", encoding="utf-8")
    right = dataclasses.replace(project.server, host_key=None, known_hosts=known)
    assert NOTHING in str(told_by(right))


def test_a_wrong_password_and_a_wrong_key_are_told_without_secrets(project, tmp_path):
    wrong = dataclasses.replace(project.server, key=None, password="s3cr3t")
    error = told_by(wrong)
    assert f"{project.sshd.user}@127.0.0.1:{project.sshd.port} refuses the password" in str(error)
    assert "s3cr3t" not in str(error) + repr(wrong)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True, timeout=60)
    assert "refuses the key" in str(told_by(dataclasses.replace(project.server, key=tmp_path / "k")))
    with pytest.raises(ConfigurationError, match="no key file"):
        status(dataclasses.replace(project.server, key=tmp_path / "missing"), "x")


def test_a_server_that_is_not_there(project):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = dataclasses.replace(project.server, port=closed.getsockname()[1])
        assert "cannot be reached" in str(told_by(nobody))


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("worker", ("worker", None, None)),
        ("anna@worker.example:2222", ("worker.example", 2222, "anna")),
        ("[::1]:22", ("::1", 22, None)),
    ],
)
def test_addresses(address, parts):
    server = Server.parse(address)
    assert (server.host, server.port, server.user) == parts


@pytest.mark.parametrize("address", ["", "a b:c", "@host", "host:"])
def test_what_is_no_address(address):
    with pytest.raises(ConfigurationError, match=r"\[user@\]host\[:port\]"):
        Server.parse(address)


def test_options_that_make_no_sense():
    with pytest.raises(ConfigurationError, match="process_num"):
        DeployOptions(process_num=0)
    with pytest.raises(ConfigurationError, match="env maps"):
        DeployOptions(env={"A B": "x"})


def test_a_project_leaves_out_what_is_not_of_the_program(tmp_path):
    kept = ["app/tasks.py", "data/a.txt", "link.txt"]
    for path in (
        *kept[:2], ".git/config", "app/__pycache__/tasks.pyc", ".fsdf/queue.sqlite", "env/pyvenv.cfg", "env/lib/x.py",
        "x.egg-info/PKG", "a.log", "secret/b.txt",
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path, encoding="utf-8")
    (tmp_path / "link.txt").symlink_to("data/a.txt")
    (tmp_path / "outside").symlink_to("/etc/passwd")
    (tmp_path / "big").write_bytes(b"x" * 100)
    project = Project.read(tmp_path, Filters(patterns=["^/secret/"], file_limit=99))
    assert list(project.files) == kept
    assert project.too_large == ["big"]
    with pytest.raises(ConfigurationError, match="total_volume_limit"):
        Project.read(tmp_path, Filters(total_limit=50))
    with pytest.raises(ConfigurationError, match="no regular expression"):
        Project.read(tmp_path, Filters(patterns=["("]))


def test_files_cannot_leave_the_project_on_the_server(tmp_path):
    own = tmp_path / "project/.fsdf-deploy"
    own.mkdir(parents=True)
    for path in ("../evil.txt", "/evil.txt", "a/../../evil.txt"):
        with pytest.raises(ValueError, match="no path inside"):
            files.plan(own.parent, own, {"files": {path: [0, "", 0o644]}})


def test_a_number_that_another_process_has_now_is_left_alone():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        start = identity.started(child.pid)
        assert identity.end({"pid": child.pid, "started": f"{start}0"}, 5) == "was gone"
        assert child.poll() is None
        assert identity.end({"pid": child.pid, "started": start}, 30) == "ended"
        assert child.wait(30) == -signal.SIGTERM
    finally:
        child.kill()
        child.communicate()


def test_nothing_is_deployed_where_nothing_is(project):
    with pytest.raises(DeploymentError, match=NOTHING):
        stop(project.server, str(project.there))


def test_a_folder_that_cannot_be_made_is_told(project):
    broken = project.deploy(remote_dir="/proc/fsdf")
    assert broken["type"] == "DeploymentError"
    assert "/proc/fsdf cannot be made on the server" in broken["error"]


def test_a_connection_that_breaks_is_told(project):
    def use_a_broken_one():
        with project.server.connected() as connection:
            connection.transport.close()
            connection.client.open_sftp()

    with pytest.raises(DeploymentError, match=r"127\.0\.0\.1: "):
        use_a_broken_one()

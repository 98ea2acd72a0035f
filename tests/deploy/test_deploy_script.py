"""Broken projects, and projects that are one script."""

from __future__ import annotations

import subprocess
import sys

from fsdf_cli.deployment import status

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


def test_a_script_deploys_its_own_functions_and_the_command_looks_after_them(project):
    script = (
        "from pathlib import Path\nfrom fsdf import boost\n"
        "@boost('from/a script')\ndef write(text):\n    Path(__file__).with_name('out.txt').write_text(text)\n"
        f"print(write.fabric_deploy('127.0.0.1', **{project.options()!r}))\n"
    )
    project.write("run.py", script)
    words = [sys.executable, "run.py"]
    done = subprocess.run(words, cwd=project.folder, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "Deployed(name='q-from_a_script-" in done.stdout

    def command(*words: str) -> str:
        where = [f"{project.sshd.user}@127.0.0.1:{project.sshd.port}", "--remote-dir", str(project.there)]
        keys = ["--key", str(project.sshd.key), "--host-key", project.sshd.host_key]
        line = [sys.executable, "-m", "fsdf_cli", "deploy", *words[:1], *where, *keys, *words[1:]]
        told = subprocess.run(line, cwd=project.folder, capture_output=True, text=True, timeout=200, check=False)
        assert told.returncode == 0, told.stderr
        return told.stdout

    assert "ignores it" in command("logs", "-q", "from/a script")
    assert " runs " in command("status")
    assert command("stop").endswith(": ended\n")

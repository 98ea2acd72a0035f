"""From the first deployment to the end: uploads, secrets, a replacement while a task runs, and an end by force."""

from __future__ import annotations

from pathlib import Path

from fsdf_cli.deployment import logs, status, stop
from fsdf_core.waiting import wait_until

PATIENCE = 60.0
SECRET = "s3cr3t-of-the-broker"
ON_THE_SERVER = "\nimport os\nif os.environ.get('FSDF_DEPLOYED'):\n    "


def processes(session: int) -> dict[int, str]:
    """Return the processes of a session that live, and their command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, sid = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
            if int(sid) == session and state != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_text(encoding="utf-8")
        except OSError:
            continue  # it has ended meanwhile
    return found


def running(project):
    return [each["pid"] for each in status(project.server, str(project.there)) if each["running"]]


def test_the_life_of_a_deployment(project):
    project.write_tasks(
        1, ON_THE_SERVER + "(HERE / 'told.txt').write_text(os.environ['TOLD'] + os.environ['SHELL_TOLD'])\n"
    )
    options = {
        "env": {"TOLD": SECRET},
        "extra_shell_str": "export SHELL_TOLD=1\necho a line of the shell",
        "file_volume_limit": 2000,
    }
    for path, text in {"big.bin": "x" * 3000, "notes.log": "stays here", "data/old.txt": "old"}.items():
        project.write(path, text)
    first = project.deploy("slow", **options, process_num=2)
    assert first.get("error") is None, first["error"]
    assert first["uploaded"] == ["app/__init__.py", "app/tasks.py", "data/old.txt", "pyproject.toml"]
    assert (first["too_large"], first["before"]) == (["big.bin"], "")
    assert (project.there / "app/told.txt").read_text(encoding="utf-8") == f"{SECRET}1"
    lines = processes(first["pid"])
    assert len(lines) > 1
    assert not any(SECRET in line for line in lines.values())
    own = project.there / ".fsdf-deploy"
    assert own.stat().st_mode & 0o077 == 0
    kept = [path for path in own.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]

    project.push("slow.push(1)")
    assert wait_until((project.there / "app/begun.txt").exists, PATIENCE)
    (project.folder / "data/old.txt").unlink()
    project.write("app/more.py", "")
    deploying = project.begin("slow", **options)
    assert wait_until(lambda: running(project) not in ([], [first["pid"]]), PATIENCE)
    assert processes(first["pid"]), "the task runs"
    (project.there / "app/finish.txt").touch()
    second = project.end(deploying)
    assert (second["uploaded"], second["removed"]) == (["app/more.py"], ["data/old.txt"])
    assert second["before"] == "ended"
    assert not (project.there / "data").exists()
    assert (project.there / "app/ended.txt").exists()
    assert wait_until(lambda: not processes(first["pid"]), PATIENCE)

    (project.there / "app/finish.txt").unlink()
    (project.there / "app/begun.txt").unlink()
    project.push("slow.push(1)")
    assert wait_until((project.there / "app/begun.txt").exists, PATIENCE)
    (told,) = status(project.server, str(project.there))
    assert (told["name"], told["running"], told["pid"]) == (f"{project.queue}-slow", True, second["pid"])
    (written,) = logs(project.server, str(project.there)).values()
    assert any("consuming" in line for line in written)
    assert stop(project.server, str(project.there), timeout=0.5) == {second["name"]: "killed"}
    assert wait_until(lambda: not processes(second["pid"]), PATIENCE)
    assert running(project) == []

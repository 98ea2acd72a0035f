"""`fabric_deploy` to a server that runs tasks."""

from __future__ import annotations

from fsdf_cli.deployment import logs, status, stop
from fsdf_core.waiting import wait_until

PATIENCE = 60.0


def lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_a_deployment_runs_tasks_and_the_next_one_replaces_it(project):
    project.write("big.bin", "x" * 2000)
    project.write("notes.log", "not for the server")
    project.write("data/old.txt", "old")
    first = project.deploy(file_volume_limit=1500, process_num=2)
    assert first.get("error") is None, first["error"]
    assert first["uploaded"] == ["app/__init__.py", "app/tasks.py", "data/old.txt", "pyproject.toml"]
    assert (first["too_large"], first["before"]) == (["big.bin"], "")
    project.push("note.push('a')")
    assert wait_until(lambda: lines(project.there / "app/ran.txt") == ["1 a"], PATIENCE)

    (project.folder / "data/old.txt").unlink()
    project.write_tasks(2)
    second = project.deploy(file_volume_limit=1500)
    assert second.get("error") is None, second["error"]
    assert (second["uploaded"], second["removed"]) == (["app/tasks.py"], ["data/old.txt"])
    assert second["before"] == "ended"
    assert not (project.there / "data").exists()
    project.push("note.push('b')")
    assert wait_until(lambda: lines(project.there / "app/ran.txt") == ["1 a", "2 b"], PATIENCE)

    (told,) = status(project.server, str(project.there))
    assert (told["name"], told["running"], told["pid"]) == (project.queue, True, second["pid"])
    (written,) = logs(project.server, str(project.there)).values()
    assert any("consuming" in line for line in written)
    assert stop(project.server, str(project.there)) == {project.queue: "ended"}
    assert not any(each["running"] for each in status(project.server, str(project.there)))

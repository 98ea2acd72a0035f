"""`fsdf doctor`, `init`, `bench`, help, completion; and the page of settings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fsdf_core.settings
from fsdf_cli.app import app
from fsdf_cli.mistakes import FAILED, MISUSED
from fsdf_core import settings_page
from fsdf_core.errors import ConfigurationError
from fsdf_core.roster import KnownQueue, Worker
from fsdf_core.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def found(fsdf, *words, status=0):
    return json.loads(fsdf("doctor", "--json", *words, status=status))


def of(findings, subject):
    return [(each["level"], each["detail"], each["cure"]) for each in findings if each["subject"] == subject]


def test_a_setting_that_is_not_valid(fsdf, monkeypatch):
    monkeypatch.setenv("FSDF_GRACE", "soon")
    ((level, detail, cure),) = of(found(fsdf, status=FAILED), "settings")
    assert (level, "grace" in detail, "--config" in cure) == ("fault", True, True)
    fsdf("doctor", "--config", status=MISUSED)
    assert "grace" in fsdf.errors


def test_servers_that_are_away_come_with_a_cure_and_no_password(fsdf, queue, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    monkeypatch.setenv("FSDF_STATE_URL", "redis://:secret@127.0.0.1:1/1")
    findings = found(fsdf, "-i", fsdf.module(queue, "REDIS_ACK_ABLE"), status=FAILED)
    (state,) = of(findings, "state store")
    (broker,) = of(findings, "broker REDIS_ACK_ABLE")
    assert (state[0], broker[0]) == ("fault", "fault")
    assert "FSDF_STATE_URL" in state[2]
    assert "secret" not in json.dumps(findings)


def test_a_folder_that_cannot_be_written(fsdf, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FSDF_HOME", str(tmp_path / "file" / "home"))
    ((level, _, cure),) = of(found(fsdf, status=FAILED), "home")
    assert (level, cure) == ("fault", "set FSDF_HOME to another folder")


def test_risks_of_tasks(fsdf, queue, redis_url, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", redis_url)
    risky = fsdf.module(queue, "REDIS", max_retry_times=5)
    findings = found(fsdf, "-i", risky, "-i", fsdf.module(f"{queue}_good"))
    details = [detail for level, detail, _ in of(findings, queue) if level == "risk"]
    assert any("loses the task with all its tries" in detail for detail in details)
    assert any("only this host" in detail for detail in details)
    assert [level for level, _, _ in of(findings, f"{queue}_good")] == ["good"]
    ((level, detail, _),) = of(findings, "Redis")
    assert level == "good"
    assert "is version" in detail


def test_all_is_well(fsdf, monkeypatch):
    monkeypatch.setenv("FSDF_HEARTBEET_TIMEOUT", "3")
    text = fsdf("doctor")
    assert "FSDF_HEARTBEET_TIMEOUT" in text
    assert "HEARTBEAT_TIMEOUT" in fsdf("doctor", "--config").upper()
    assert "FAULT" not in text


def test_where_settings_come_from(fsdf, monkeypatch):
    (fsdf.folder / "fsdf_config.py").write_text("REDIS_HOST = 'db'\nREDIS_PASSWORD = 'secret'\n")
    monkeypatch.delitem(sys.modules, "fsdf_config", raising=False)
    told = {each["name"]: each for each in json.loads(fsdf("doctor", "--config", "--json"))}
    sys.modules.pop("fsdf_config", None)
    assert told["redis_url"]["value"] == "redis://:***@db:6379/0"
    assert told["redis_url"]["source"] == "fsdf_config.py"
    assert told["home"]["spelling"] == "FSDF_HOME"


def test_init_overwrites_nothing_and_what_it_writes_is_read(fsdf, monkeypatch):
    fsdf("init")
    text = (fsdf.folder / "fsdf_config.py").read_text()
    assert all(f"# {name.upper()} = " in text for name in Settings.model_fields)
    fsdf("init", status=MISUSED)
    assert "--force" in fsdf.errors
    active = text.replace("# GRACE = 30.0", "GRACE = 7")
    (fsdf.folder / "fsdf_config.py").write_text(active)
    monkeypatch.delitem(sys.modules, "fsdf_config", raising=False)
    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    try:
        assert fsdf_core.settings.get_settings().grace == 7
    finally:
        sys.modules.pop("fsdf_config", None)
    fsdf("init", "--force")
    assert (fsdf.folder / "fsdf_config.py").read_text() == text


def test_bench_leaves_nothing_behind(fsdf):
    figures = json.loads(fsdf("bench", "--messages", "200", "--json"))
    assert figures["messages"] == 200
    assert figures["consumed_a_second"] > 0
    assert figures["milliseconds_from_push_to_run_median"] > 0
    assert not [each for each in fsdf.roster.queues() if each.name.startswith("fsdf_bench")]


def test_help_has_examples(fsdf):
    for command in ("worker", "push", "publish", "result", "queues", "inspect", "purge", "kill", "move", "doctor"):
        assert "Examples" in fsdf(command, "--help"), command
    top = fsdf("--help")
    assert all(name in top for name in ("worker", "dlq", "schedule", "mp_consume_all", "--install-completion"))
    assert fsdf("--version").strip().count(".") == 2
    assert app.registered_commands


@pytest.mark.parametrize(
    ("words", "place", "found"), [("fsdf que", "1", "queues"), ("fsdf inspect cli_comp", "2", "cli_completed")]
)
def test_completion_knows_commands_and_queues(fsdf, words, place, found):
    fsdf.roster.enlist(Worker("c1", "cli_completed"), KnownQueue("cli_completed"))
    variables = {"_FSDF_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}
    program = "import sys; sys.argv = ['fsdf']; from fsdf_cli.app import app; app(prog_name='fsdf')"
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **variables}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert found in done.stdout.split(), done.stderr


def test_the_page_of_settings_is_current():
    text = PAGE.read_text(encoding="utf-8")
    assert settings_page.rewritten(text) == text, "hatch run docs"
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


def test_a_page_without_marks():
    with pytest.raises(ConfigurationError, match="these two lines"):
        settings_page.rewritten("no marks")

"""`f.push` has the function's own parameters, for mypy strict and for pyright."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RIGHT, WRONG = HERE / "right_calls.py", HERE / "wrong_calls.py"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )


def test_mypy_accepts_right_calls_and_reports_each_wrong_one():
    done = run("mypy", "--strict", "--no-incremental", str(RIGHT), str(WRONG))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def errors(tmp_path_factory) -> list[tuple[str, int, str]]:
    """What pyright reports: file, line, text."""
    source = re.sub(r"# type: ignore\[.*?\]", "#", WRONG.read_text())
    folder = tmp_path_factory.mktemp("pyright")
    for name, text in {WRONG.name: source, RIGHT.name: RIGHT.read_text()}.items():
        (folder / name).write_text(text)
    paths = [str(path) for path in sorted((ROOT / "packages").glob("*/src"))]
    configuration = {"extraPaths": paths, "typeCheckingMode": "standard", "include": ["."]}
    (folder / "pyrightconfig.json").write_text(json.dumps(configuration))
    done = run("pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(folder))
    assert done.stdout, done.stderr
    reports = json.loads(done.stdout)["generalDiagnostics"]
    return [
        (Path(report["file"]).name, report["range"]["start"]["line"] + 1, report["message"])
        for report in reports
        if report["severity"] == "error"
    ]


def test_pyright_accepts_right_calls(errors):
    assert [error for error in errors if error[0] == RIGHT.name] == []


def test_pyright_reports_each_wrong_call(errors):
    marked = [n for n, line in enumerate(WRONG.read_text().splitlines(), 1) if line.endswith("# wrong")]
    assert sorted({line for file, line, _ in errors if file == WRONG.name}) == marked

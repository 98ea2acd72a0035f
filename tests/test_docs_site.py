"""The documentation builds as a site: every link and anchor leads somewhere, every name of the API exists."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_site_builds_without_a_warning(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)],
        cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    for page, name in [("control", "fsdf_control.RateLimit"), ("core", "fsdf_core.consumer.Consumer")]:
        assert f'id="{name}"' in (tmp_path / "api" / page / "index.html").read_text(encoding="utf-8")

"""The wheels build, install into a clean environment, and import alone."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DISTRIBUTIONS = sorted(folder.name for folder in (ROOT / "packages").iterdir())

pytestmark = pytest.mark.timeout(400)


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    members = [ROOT / "packages" / name for name in DISTRIBUTIONS]
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, *members)
    assert len(list(folder.glob("*.whl"))) == len(DISTRIBUTIONS)
    return folder


def clean_environment(folder):
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def test_pools_import_with_nothing_else(wheels, tmp_path):
    python = clean_environment(tmp_path / "env")
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", wheels, "fsdf-pools")
    run(python, "-c", "import fsdf_pools; fsdf_pools.ShrinkableThreadPoolExecutor(3).submit(int).result()")


def test_everything_installs_and_each_imports_alone(wheels, tmp_path):
    python = clean_environment(tmp_path / "env")
    # By file, not by name: an index may hold another project of the same name.
    run(python, "-m", "pip", "install", "--quiet", "--find-links", wheels, *sorted(wheels.glob("*.whl")))
    for name in DISTRIBUTIONS:
        run(python, "-c", f"import {name.replace('-', '_')} as package; assert package.__version__")
    run(python, "-m", "pip", "check")
    push = "import fsdf; fsdf.boost('q', broker_kind='SQLITE_QUEUE')(lambda x: x).push(1)"
    run(python, "-c", f"import os; os.environ['FSDF_HOME'] = {str(tmp_path / 'home')!r}; {push}")
    missing = "import fsdf; fsdf.boost('q', broker_kind='REDIS_ACK_ABLE')(lambda x: x).push(1)"
    done = subprocess.run([python, "-c", missing], capture_output=True, text=True, timeout=60, check=False)
    assert "pip install fsdf[redis]" in done.stderr

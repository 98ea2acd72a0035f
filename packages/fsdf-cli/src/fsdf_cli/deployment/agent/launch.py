"""The process that a deployment starts: it imports the function's module and supervises its worker processes."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_LOOK = 0.05


def main() -> None:
    """Consume until told to end; tell by a file when all processes consume."""
    job: dict[str, Any] = json.loads(os.environ.pop("FSDF_DEPLOYED_JOB"))
    # The folder of this script is none of the project's.
    sys.path[0:1] = job["paths"]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*job["paths"], *([before] if before else [])])
    importlib.import_module(job["module"])
    boosters: Any = importlib.import_module("fsdf.boosters_manager")
    supervision: Any = importlib.import_module("fsdf.supervision")
    booster = boosters.BoosterRegistry(job["registry"]).get_booster(job["queue"])
    supervisor = supervision.supervise([booster], job["processes"], job["max_processes"])
    while supervisor.running and supervisor.consuming < job["processes"]:
        time.sleep(_LOOK)
    if supervisor.running:
        partial = Path(job["ready"] + ".new")
        partial.write_text(str(os.getpid()), encoding="utf-8")
        partial.replace(job["ready"])


if __name__ == "__main__":
    main()

"""Builds FerretDB, which speaks MongoDB's protocol over SQLite: no package manager of Debian has MongoDB itself.

What is changed makes its writes atomic, as MongoDB's are, and uses its indexes: see the Go files in `ferretdb`.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "1.24.2"
PROGRAM = "ferretdb"

_MODULE = f"github.com/FerretDB/FerretDB@v{VERSION}"
_GO = (1, 24, 3)
_TIMEOUT = 900
_CHANGES = Path(__file__).parent / "ferretdb"
_ADDED = {
    "one_writer.go": "internal/clientconn",
    "first_few.go": "internal/handler",
    "narrow.go": "internal/backends/sqlite",
}
_CHANGED = {
    "internal/clientconn/conn.go": (
        "\t\treturn cmd.Handler(connCtx, msg)\n",
        "\t\tdefer lockForWriting(command)()\n\t\treturn cmd.Handler(connCtx, msg)\n",
    ),
    "internal/handler/msg_find.go": (
        '\th.L.DebugContext(ctx, fmt.Sprintf("Converted',
        '\tpushFirstFew(params, qp)\n\th.L.DebugContext(ctx, fmt.Sprintf("Converted',
    ),
    "internal/backends/collection.go": ("if params.Sort.Len() != 0 {", "if params.Sort.Len() == 1 {"),
    "internal/backends/sqlite/query.go": (
        '\tif sort.Len() != 1 {\n\t\treturn ""\n',
        "\tif sort.Len() != 1 {\n\t\treturn orderBy(sort)\n",
    ),
    # A command with many updates would keep a connection open for each, of a limited number.
    "internal/handler/msg_update.go": (
        '"update", iter, &u)\n',
        '"update", iter, &u)\n\t\tcloser.Close()\n',
    ),
    # Spelled as the index spells it; otherwise SQLite does not see that they are the same.
    "internal/backends/sqlite/metadata/metadata.go": ("->'$._id'\"", '->\\"_id\\""'),
    "internal/backends/sqlite/collection.go": (
        """	if params.Filter.Len() == 1 {
		v, _ := params.Filter.Get("_id")
		switch v.(type) {
		case string, types.ObjectID:
			whereClause = fmt.Sprintf(` WHERE %s = ?`, metadata.IDColumn)
			args = []any{string(must.NotFail(sjson.MarshalSingleValue(v)))}
		}
	}
""",
        "\twhereClause, args = narrow(params.Filter)\n",
    ),
}


def home() -> Path:
    """Return the folder of the program, in FSDF_SERVERS_CACHE (default: ~/.cache/fsdf-servers).

    Its name tells what was changed, so that another change is another program.
    """
    digest = hashlib.sha256(repr(_CHANGED).encode())
    for name in _ADDED:
        digest.update((_CHANGES / name).read_text().encode())
    cache = os.environ.get("FSDF_SERVERS_CACHE")
    folder = Path(cache) if cache else Path.home() / ".cache" / "fsdf-servers"
    return folder / f"ferretdb-{VERSION}-{digest.hexdigest()[:8]}"


def install() -> None:
    """Download the module, change it and build it; takes two minutes.

    Raises:
        OSError: there is no `go`.
        subprocess.SubprocessError: it failed.
    """
    target = home()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        folder = Path(scratch)
        go = _go(folder)
        source = folder / "source"
        # A module's files are read-only.
        shutil.copytree(_download(go, _MODULE, folder), source, copy_function=shutil.copyfile)
        (source / "build/version/version.txt").write_text(f"v{VERSION}\n")
        _change(source)
        new = folder / "bin"
        new.mkdir()
        _run([go, "build", "-trimpath", "-o", str(new / PROGRAM), "./cmd/ferretdb"], folder, source)
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)


def _go(folder: Path) -> str:
    """Return a Go that is new enough: the one on the PATH, or one that it downloads as a module."""
    found = _run(["go", "env", "GOVERSION"], folder, folder)
    if tuple(map(int, re.findall(r"\d+", found)[:3])) >= _GO:
        return "go"
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    version = ".".join(map(str, _GO))
    root = _download("go", f"golang.org/toolchain@v0.0.1-go{version}.{platform.system().lower()}-{machine}", folder)
    # Modules hold no executables.
    for program in (*root.glob("bin/*"), *root.glob("pkg/tool/*/*")):
        program.chmod(0o755)
    return str(root / "bin" / "go")


def _download(go: str, module: str, folder: Path) -> Path:
    return Path(json.loads(_run([go, "mod", "download", "-json", module], folder, folder))["Dir"])


def _change(source: Path) -> None:
    for name, folder in _ADDED.items():
        shutil.copyfile(_CHANGES / name, source / folder / name)
    for name, (old, new) in _CHANGED.items():
        text = (source / name).read_text()
        if old not in text:
            raise OSError(f"{name} of FerretDB {VERSION} is not what it was")
        (source / name).write_text(text.replace(old, new, 1))


def _run(words: list[str], folder: Path, where: Path) -> str:
    """Run Go with its downloads in `folder`; return what it prints."""
    environment = {
        **os.environ,
        "GOPATH": str(folder / "go"),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    done = subprocess.run(
        words,
        cwd=where,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_TIMEOUT,
        check=True,
    )
    return done.stdout

"""`hatch run servers`: install the servers that are missing, or say how to get them.

Usage: python -m tests.servers [--list] [name ...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from tests.servers.catalogue import SERVERS, Server


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if every server asked for is installed in the end."""
    names = [row.name for row in SERVERS]
    parser = argparse.ArgumentParser(prog="hatch run servers", description="Install the servers that tests use.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(names)}; default: all")
    parser.add_argument("--list", action="store_true", help="only say what is installed")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(names)}")
    wanted = [row for row in SERVERS if not options.names or row.name in options.names]
    missing = [row for row in wanted if row.executable() is None]
    if missing and not options.list:
        if _can_install():
            _install(missing)
        for row in missing:
            _install_the_rest(row)
    for row in wanted:
        path = row.executable()
        print(f"{row.name}: {path or 'missing. ' + row.hints.get(sys.platform, row.hints['linux'])}")
    return 0 if options.list or all(row.executable() for row in wanted) else 1


def _can_install() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _install(rows: list[Server]) -> None:
    packages = [package for row in rows for package in row.apt]
    # RUNLEVEL=1 keeps the packages from starting a service: tests start their own, on free ports.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        print("apt-get", *command, flush=True)
        if subprocess.run(["apt-get", *command], env=environment, check=False).returncode:
            print(f"apt-get {command[0]} failed", file=sys.stderr)
            if command[0] == "install":
                return


def _install_the_rest(row: Server) -> None:
    """Get what apt does not hold; the packages that this needs may have come from elsewhere."""
    if row.install is None:
        return
    print(f"getting {row.name}", file=sys.stderr, flush=True)
    try:
        row.install()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{row.name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

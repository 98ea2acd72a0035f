"""`fsdf-web`: the web UI from the command line."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from fsdf_core.errors import FsdfError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(prog="fsdf-web", description="The web UI and HTTP API of fsdf.")
    parser.add_argument("--host", help="address to listen at (FSDF_WEB_HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port, 0 for a free one (FSDF_WEB_PORT, 27018)")
    parser.add_argument("--allowed-hosts", help="names that browsers may use, with commas (FSDF_WEB_ALLOWED_HOSTS)")
    parser.add_argument("--no-auth", action="store_true", default=None, help="ask for no token; on 127.0.0.1 only")
    parser.add_argument("--behind-proxy", action="store_true", help="believe X-Forwarded-* of a proxy on this machine")
    parser.add_argument("--run-schedules", action="store_true", help="publish what is scheduled, if nobody else does")
    parser.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a module first, for its brokers and queues; may be given again",
    )
    options = parser.parse_args(arguments)
    # Only now: FastAPI takes long, and --help should not.
    from importlib import import_module  # noqa: PLC0415

    from fsdf_web.config import WebSettings  # noqa: PLC0415
    from fsdf_web.manager import print_link  # noqa: PLC0415
    from fsdf_web.serve import WebServer  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        for module in options.modules:
            import_module(module)
        web = WebSettings.read(
            host=options.host, port=options.port, allowed_hosts=options.allowed_hosts, no_auth=options.no_auth
        )
        server = WebServer(web=web, behind_proxy=options.behind_proxy, run_schedules=options.run_schedules)
    except FsdfError as error:
        sys.stderr.write(f"fsdf-web: {error}\n")
        return 2
    print_link(server)
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())

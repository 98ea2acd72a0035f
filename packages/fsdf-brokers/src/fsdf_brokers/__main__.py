"""`python -m fsdf_brokers [PAGE]`: print the capability matrix, or write it into a Markdown page."""

from __future__ import annotations

import sys
from pathlib import Path

from fsdf_brokers.matrix import rewritten, table
from fsdf_core.errors import ConfigurationError


def main(arguments: list[str]) -> int:
    """Return 0 if it is done, 2 if not."""
    try:
        if arguments:
            page = Path(arguments[0])
            page.write_text(rewritten(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
        else:
            sys.stdout.write(table())
    except (OSError, ConfigurationError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

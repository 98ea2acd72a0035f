"""What stands below a command's help."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """Return the section of examples, one command line each.

    Args:
        *lines: commands as they are typed.
    """
    return "\n\n".join(["[bold]Examples[/bold]", *lines])

"""What an error says, whatever its class does when it is asked."""

from __future__ import annotations


def text_of(error: BaseException) -> str:
    """Return the error's text, also if its `__str__` fails."""
    try:
        return str(error)
    except Exception as again:  # noqa: BLE001 - the user's class may do anything
        return f"<its text cannot be shown: {type(again).__name__}>"


def brief(error: BaseException) -> str:
    """Return the error's type and text."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

"""No request may be larger than a message should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.types import Message, Receive

LARGEST = 10 * 1024 * 1024
"""Bytes of a request's body."""


def limited(receive: Receive, headers: Headers) -> Receive:
    """Return a `receive` that raises `HTTPException` 413 once the body has become too large."""
    length = headers.get("content-length", "")
    announced = int(length) if length.isascii() and length.isdigit() else 0
    received = 0

    async def receiving() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if max(received, announced) > LARGEST:
            raise HTTPException(413, f"the body has more than {LARGEST} bytes")
        return message

    return receiving

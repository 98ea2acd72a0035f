"""By which names the UI may be reached: a page of another site must not pose as one of ours."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def host_of(netloc: str) -> str:
    """Return the host of `host:port` in lower case, without brackets; "" if it is none.

    Example:
        >>> host_of("[::1]:8000"), host_of("Example.com:80"), host_of("a@b")
        ('::1', 'example.com', '')
    """
    if not netloc or any(mark in netloc for mark in "@/\\ ,"):
        return ""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(address: str) -> bool:
    """Whether an address or name is this machine's own, which nobody outside can reach."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_allowed(netloc: str, allowed: tuple[str, ...]) -> bool:
    """Whether a `Host` header names one of the allowed hosts.

    Args:
        netloc: the header.
        allowed: names; `*.example.com` is every name below, `*` any.
    """
    host = host_of(netloc)
    if not host:
        return False
    return any(
        pattern in {"*", host} or (pattern.startswith("*.") and host.endswith(pattern[1:])) for pattern in allowed
    )


def same_origin(origin: str, netloc: str) -> bool:
    """Whether an `Origin` header is the site that the `Host` header names."""
    return bool(netloc) and urlsplit_netloc(origin) == netloc.lower()


def urlsplit_netloc(origin: str) -> str:
    """Return `host:port` of an origin in lower case; "" if it is none ("null")."""
    scheme, mark, netloc = origin.partition("://")
    return netloc.lower() if mark and scheme in {"http", "https"} else ""

"""Which version a server is, and whether it is new enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_cli.checkup.finding import Finding
from fsdf_cli.checkup.servers import asker

if TYPE_CHECKING:
    from collections.abc import Iterator


def version_of(url: str, title: str) -> Iterator[Finding]:
    """Yield what is to be said of the server at a URL; nothing if nobody here can ask it.

    Args:
        url: where it is.
        title: the same, without secrets.
    """
    ask = asker(url)
    if ask is None:
        return
    try:
        server = ask(url)
    except ImportError:
        return  # the broker's own check has said so
    except Exception as error:  # noqa: BLE001 - each library has errors of its own, which may tell the password
        yield Finding("fault", "version", f"{title} does not tell its version: {type(error).__name__}", _CURE)
        return
    said = f"{title} is version {server.version}" if server.version else title
    if server.detail:
        said += f"{',' * bool(server.version)} {server.detail}"
    if server.too_old:
        needed = ".".join(map(str, server.oldest))
        yield Finding("risk", server.product, said, f"fsdf needs {server.product} {needed} or later")
    else:
        yield Finding("good", server.product, said)


_CURE = "look at its log, and whether the user may log in"

"""Whether a pool of greenlets can work in this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from fsdf_core.context import current_message
from fsdf_core.coroutines import is_async
from fsdf_core.errors import ConfigurationError
from fsdf_core.green.native import patched_by

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_LINES = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}


def check_green(library: str, function: Callable[..., Any]) -> None:
    """Check what must be so before a consumer with greenlets starts.

    Args:
        library: "gevent" or "eventlet".
        function: the task.

    Raises:
        ConfigurationError: the library's monkey patch is missing, came too late, or is another's; or the function is
            `async def`, which greenlets do not run.
    """
    line = _FIRST_LINES[library]
    patched = patched_by()
    if patched not in {library, None}:
        raise ConfigurationError(
            f"a consumer with {library} cannot run in a process that {patched} has patched: choose one of the two"
        )
    if patched is None:
        raise ConfigurationError(f"{library} needs its monkey patch: add to the very top of your script\n    {line}")
    if not isinstance(current_message.thread, threading.local):
        raise ConfigurationError(
            f"the monkey patch of {library} came after the import of fsdf: move it to the very top of your script\n"
            f"    {line}"
        )
    if is_async(function):
        name = getattr(function, "__qualname__", repr(function))
        raise ConfigurationError(
            f"{name} is async def, which greenlets of {library} do not run: use concurrent_mode ASYNC, or def"
        )

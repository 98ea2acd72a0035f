"""The Lua scripts, each atomic on the server; their texts are the files in `lua/`."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PRELUDE = ("message", "delay")


def _text(name: str) -> str:
    return (resources.files("fsdf_brokers.redis") / "lua" / f"{name}.lua").read_text("utf-8")


class Script:
    """One script, sent to a server the first time it is used there.

    Args:
        name: of its file.
    """

    def __init__(self, name: str) -> None:
        self._source = "\n".join(map(_text, (*_PRELUDE, name))).encode()
        self._digest = hashlib.sha1(self._source, usedforsecurity=False).hexdigest()

    def __call__(self, client: Any, keys: Sequence[str], arguments: Iterable[Any] = ()) -> Any:
        """Run it.

        Raises:
            redis.RedisError: untranslated.
        """
        try:
            return client.execute_command("EVALSHA", self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return client.execute_command("EVAL", self._source, len(keys), *keys, *arguments)


ADMIT = Script("admit")
BEAT = Script("beat")
DUE = Script("due")
LEAVE = Script("leave")
PURGE = Script("purge")
RECLAIM = Script("reclaim")
RELEASE = Script("release")
REQUEUE = Script("requeue")
SEND = Script("send")
SIZE = Script("size")
TAKE = Script("take")

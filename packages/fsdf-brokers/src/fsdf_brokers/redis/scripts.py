"""The Lua scripts, each atomic on the server; their texts are the files in `lua/`."""

from __future__ import annotations

import functools
import hashlib
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@functools.cache
def _text(name: str) -> str:
    return (resources.files("fsdf_brokers.redis") / "lua" / f"{name}.lua").read_text("utf-8")


def _literal(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(f"\\{byte:03d}" for byte in value.encode()) + '"'


class Script:
    """One script, sent to a server the first time it is used there.

    Args:
        name: of its file.
        prelude: names of the files before it, of functions that it calls.
        constants: numbers and strings that it knows by name.
    """

    def __init__(self, name: str, prelude: Sequence[str] = ("message",), **constants: int | str) -> None:
        head = [f"local {constant} = {_literal(value)}" for constant, value in constants.items()]
        self._source = "\n".join([*head, *map(_text, (*prelude, name))]).encode()
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

    def send(self, line: Any, keys: Sequence[str], arguments: Sequence[Any]) -> None:
        """Begin to run it; before `line` does anything else, `answer` is to be called.

        Raises:
            redis.RedisError: untranslated; it may have run.
        """
        connection = _connection(line)
        connection.send_packed_command(connection.pack_command("EVALSHA", self._digest, len(keys), *keys, *arguments))

    def answer(self, line: Any) -> Any:
        """Return the answer to `send`; None if the server has forgotten the script, so that it did not run.

        Raises:
            redis.RedisError: untranslated; after a broken connection it may have run.
        """
        with _in_step(line):
            try:
                return _connection(line).read_response()
            except NoScriptError:
                return None

    def after(
        self, line: Any, words: Sequence[Any], keys: Sequence[str], arguments: Sequence[Any]
    ) -> tuple[redis.ResponseError | None, Any]:
        """Send a blocking command and the script together: it runs on the server as soon as the command has ended.

        So what the command waited for is claimed without another round trip.

        Args:
            line: a client with a connection of its own.
            words: the command.
            keys: of the script.
            arguments: of the script.

        Returns:
            What the server answered to the command if it refused it, and the script's answer.

        Raises:
            redis.RedisError: untranslated; after a broken connection the script may have run.
        """
        connection = _connection(line)
        refusal = None
        with _in_step(line):
            call = ("EVALSHA", self._digest, len(keys), *keys, *arguments)
            connection.send_packed_command(connection.pack_commands((words, call)))
            try:
                connection.read_response()
            except redis.ResponseError as error:
                refusal = error
            try:
                return refusal, connection.read_response()
            except NoScriptError:
                pass
        return refusal, self(line, keys, arguments)


def _connection(line: Any) -> Any:
    if line.connection is None:
        raise redis.ConnectionError("closed")
    return line.connection


@contextmanager
def _in_step(line: Any) -> Iterator[None]:
    """Close a connection whose answers may not be read: the next command would get them."""
    try:
        yield
    except redis.ResponseError:
        raise
    except BaseException:
        if line.connection is not None:
            line.connection.disconnect()
        raise


ADMIT = Script("admit")
BEAT = Script("beat")

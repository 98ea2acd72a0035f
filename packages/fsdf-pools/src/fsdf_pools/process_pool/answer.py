"""How a call travels to a child process, and its answer back: pickled, on a pipe that nobody else has."""

from __future__ import annotations

import pickle
import sys
import traceback
from typing import TYPE_CHECKING, Any

from fsdf_pools.process_pool.errors import RemoteError, RemoteTraceback, UnpicklableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READY, RESULT, ERROR, LOG = b"u", b"r", b"e", b"l"
"""The first byte of what a child sends."""

_PROTOCOL = pickle.HIGHEST_PROTOCOL


def encode_call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
    """Return a call as bytes.

    Raises:
        UnpicklableError: the function is none that another process can import, or an argument is no plain data.
    """
    try:
        return pickle.dumps((fn, args, kwargs), _PROTOCOL)
    except Exception as error:
        raise UnpicklableError(
            f"{_name(fn)} cannot be called in another process: {error}; give it a function from the top level of a "
            "module, and arguments that pickle takes"
        ) from error


def answer(request: bytes) -> bytes:
    """Run a call here, in the child; return what becomes of it."""
    try:
        fn, args, kwargs = pickle.loads(request)  # noqa: S301 - from the parent
        result = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the caller gets it
        return encode_error(error)
    try:
        return RESULT + pickle.dumps(result, _PROTOCOL)
    except Exception as error:  # noqa: BLE001 - an object's own pickling may raise anything
        refused = UnpicklableError(
            f"the result of {_name(fn)}, a {type(result).__name__}, cannot leave its process: {error}; "
            "return what pickle takes"
        )
        return encode_error(refused.with_traceback(error.__traceback__))
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()  # it may be killed before it writes again


def encode_error(error: BaseException) -> bytes:
    """Return an error as bytes, or one that stands for it."""
    inner = error.__traceback__.tb_next if error.__traceback__ is not None else None
    text = "".join(traceback.format_exception(type(error), error, inner))
    try:
        encoded = pickle.dumps((error, text), _PROTOCOL)
        pickle.loads(encoded)  # noqa: S301 - our own; many exceptions are taken by pickle and never come back
    except Exception:  # noqa: BLE001 - as above
        encoded = pickle.dumps((RemoteError(_told(error)), text), _PROTOCOL)
    return ERROR + encoded


def decode_result(frame: bytes) -> Any:
    """Return the result, or raise the error, that stands in a frame of the kinds RESULT and ERROR.

    Raises:
        UnpicklableError: the result is of a kind that this process does not know.
        BaseException: what the call raised; its cause is a `RemoteTraceback`.
    """
    body = memoryview(frame)[1:]
    if frame[:1] == RESULT:
        try:
            return pickle.loads(body)  # noqa: S301 - from our own child
        except Exception as error:
            raise UnpicklableError(f"the result of a call cannot be read here: {error}") from error
    try:
        raised, text = pickle.loads(body)  # noqa: S301 - as above
    except Exception as unread:
        raise RemoteError(f"the error of a call cannot be read here: {unread}") from unread
    raised.__cause__ = RemoteTraceback(text)
    raise raised


def _told(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the user's own method
        text = "(its text cannot be had)"
    return f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__


def _name(fn: Any) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)

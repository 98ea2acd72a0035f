"""What others may know of a task: no secret, nothing but JSON data."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import orjson

from fsdf.boosters_manager import BoosterRegistry
from fsdf.params import BoosterParams
from fsdf.receiver import CLASS, INSTANCE, Receiver
from fsdf_core.errors import UnknownName
from fsdf_core.roster import KnownQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SECRET = re.compile(r"pass|secret|token|credential|sasl|private|(api|access)_?key|auth", re.IGNORECASE)
_APART = frozenset({"queue_name", "broker_kind", "broker_exclusive_config", "booster_group", "user_options"})
_VARIADIC = {inspect.Parameter.VAR_POSITIONAL: "args", inspect.Parameter.VAR_KEYWORD: "kwargs"}


def known_queue(params: BoosterParams, broker_kind: str) -> KnownQueue:
    """Return what the roster may tell of a task's queue.

    Args:
        params: the task's parameters.
        broker_kind: the broker's name.
    """
    return KnownQueue(
        name=params.queue_name,
        broker_kind=broker_kind,
        broker_options=without_secrets(params.broker_exclusive_config),
        function=function_title(params),
        parameters=tuple(_parameters(params)),
        params={
            name: value
            for name, value in params.__dict__.items()
            if name not in _APART and _is_plain(value) and value != _default(name)
        },
        group=params.booster_group or "",
    )


def function_title(params: BoosterParams) -> str:
    """Return "module.name" of a task's function."""
    function = function_of(params)
    if function is None:
        return params.consuming_function_name
    return f"{function.__module__}.{getattr(function, '__qualname__', repr(function))}"


def without_secrets(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are JSON data and look like no password, key or URL with a password."""
    return {
        name: value
        for name, value in options.items()
        if not _SECRET.search(name) and _is_plain(value) and "@" not in str(value)
    }


def _parameters(params: BoosterParams) -> Iterator[dict[str, Any]]:
    function = function_of(params)
    given = params.manual_func_input_params
    if given.get("is_manual_func_input_params"):
        yield from ({"name": name, "required": True} for name in given.get("must_arg_name_list", ()))
        yield from ({"name": name, "required": False} for name in given.get("optional_arg_name_list", ()))
        return
    try:
        parameters = list(inspect.signature(function).parameters.values()) if function is not None else []
    except (TypeError, ValueError):
        return  # a builtin tells nothing
    receiver = Receiver(function, params.consuming_function_kind) if function is not None else None
    if receiver is not None and receiver.possible and receiver.kind() in {INSTANCE, CLASS}:
        parameters = parameters[1:]
    for each in parameters:
        told: dict[str, Any] = {"name": each.name, "required": each.default is each.empty}
        if each.kind in _VARIADIC:
            told |= {"required": False, "variadic": _VARIADIC[each.kind]}
        if each.default is not each.empty and _is_plain(each.default):
            told["default"] = each.default
        if each.annotation is not each.empty:
            told["annotation"] = inspect.formatannotation(each.annotation).strip("'")
        yield told


def function_of(params: BoosterParams) -> Callable[..., Any] | None:
    """Return the task's function, None if it is not decorated in this process."""
    try:
        booster = BoosterRegistry(params.booster_registry_name).get_booster(params.queue_name)
    except UnknownName:
        return params.consuming_function
    return booster.consuming_function


def _default(name: str) -> Any:
    return BoosterParams.model_fields[name].get_default(call_default_factory=True)


def _is_plain(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True

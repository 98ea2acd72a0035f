"""From a call's arguments to the arguments by name that a message carries."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import ConfigurationError
from fsdf_core.message import EXTRA

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Binder:
    """Checks calls against a signature.

    Args:
        function: whose signature counts.
        check: False lets any names pass, and needs none.
        names: names that are needed and names that are optional, given by hand instead of the signature.

    Raises:
        ConfigurationError: the function has a parameter `extra`, a name that messages reserve; or it is a builtin
            that does not tell its parameters.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        check: bool = True,
        names: tuple[list[str], list[str]] | None = None,
    ) -> None:
        self._title = getattr(function, "__qualname__", repr(function))
        self.signature = self._own_signature(function) if names is None else _signature_of(*names)
        parameters = self.signature.parameters.values()
        if EXTRA in self.signature.parameters:
            raise ConfigurationError(
                f"{self._title}: a task's parameter cannot be called {EXTRA!r}, messages reserve the name"
            )
        self.positional = tuple(
            parameter.name
            for parameter in parameters
            if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
        )
        """Names that positional arguments get."""
        self.positional_only = tuple(
            parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_ONLY
        )
        """Names that the function does not take as keywords."""
        self.bind = _compiled(self.signature) if check else self._loose
        """Takes a call's arguments, returns them by name without defaults; TypeError if the call is wrong."""

    def explained(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
        """Return the error that says what is wrong with a call that `bind` refused."""
        faults = []
        if len(args) > len(self.positional):
            faults.append(
                f"takes {len(self.positional)} positional argument(s), {len(args)} were given"
                " (a message carries arguments by name, so *args cannot be sent)"
            )
        named = self.positional[: len(args)]
        if twice := sorted(set(named) & kwargs.keys()):
            faults.append(f"got {', '.join(twice)} by position and by name")
        parameters = self.signature.parameters.values()
        given = {*named, *kwargs}
        missing = [
            parameter.name
            for parameter in parameters
            if parameter.default is parameter.empty and parameter.kind not in _VARIADIC and parameter.name not in given
        ]
        if missing:
            faults.append(f"misses {', '.join(missing)}")
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters) and (
            unknown := sorted(given - self.signature.parameters.keys())
        ):
            faults.append(f"does not take {', '.join(unknown)}")
        return TypeError(f"{self._title}{self.signature} {' and '.join(faults)}: nothing was published")

    def _own_signature(self, function: Callable[..., Any]) -> inspect.Signature:
        try:
            return inspect.signature(function)
        except ValueError:
            raise ConfigurationError(
                f"{self._title} does not tell its parameters: wrap it in a function of your own, or name them in "
                "manual_func_input_params"
            ) from None

    def _loose(self, /, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if len(args) > len(self.positional):
            raise TypeError
        return {**dict(zip(self.positional, args, strict=False)), **kwargs}


def _compiled(signature: inspect.Signature) -> Callable[..., dict[str, Any]]:
    """Return a function that has Python itself bind the arguments: three times as fast as doing it by hand.

    Defaults are not filled in, so that the consumer's own hold; positional-only parameters may come by name.
    """
    head, needed, optional, keywords, starred = [], [], [], "", False
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            keywords = name
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            if parameter.kind is parameter.KEYWORD_ONLY and not starred:
                starred = True
                head.append("*")
            if parameter.default is parameter.empty:
                head.append(name)
                needed.append(name)
            else:
                head.append(f"{name}=_fsdf_omitted")
                optional.append(name)
    items = [f"{name!r}: {name}" for name in needed]
    if keywords:
        head.append(f"**{keywords}")
        items.append(f"**{keywords}")
    lines = [f"def bind({', '.join(head)}):", f" _fsdf_given = {{{', '.join(items)}}}"]
    lines += [f" if {name} is not _fsdf_omitted: _fsdf_given[{name!r}] = {name}" for name in optional]
    namespace: dict[str, Any] = {"_fsdf_omitted": object()}
    # Only names of parameters, which are identifiers, become part of the text.
    exec("\n".join([*lines, " return _fsdf_given"]), namespace)  # noqa: S102
    compiled: Callable[..., dict[str, Any]] = namespace["bind"]
    return compiled


def _signature_of(needed: list[str], optional: list[str]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [
            *(inspect.Parameter(name, kind) for name in needed),
            *(inspect.Parameter(name, kind, default=None) for name in optional),
        ]
    )

"""A function's arguments as words of a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.roster import KnownQueue


def parsed(words: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and named arguments: `1 two --z=3`, `--z 3`, `z=3` are not text but data where they can.

    A word that is JSON is what it says, every other one is text; `'"1"'` is the text 1.

    Raises:
        ConfigurationError: a name stands twice, or has no value.

    Example:
        >>> parsed(["1", "two", "--z=[3]", "--flag", "true"])
        ([1, 'two'], {'z': [3], 'flag': True})
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--") or word == "--":
            if word != "--":
                args.append(_value(word))
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            value = next(rest, "")
            if not value:
                raise ConfigurationError(f"--{name} has no value: write --{name}=value")
        name = name.replace("-", "_")
        if not name.isidentifier():
            raise ConfigurationError(f"{name!r} is no name of an argument")
        if name in kwargs:
            raise ConfigurationError(f"the argument {name} stands there twice")
        kwargs[name] = _value(value)
    return args, kwargs


def named(known: KnownQueue, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return a call's arguments by name, as a worker has told that its function takes them.

    Raises:
        ConfigurationError: the function does not take them, or nobody knows its names.
    """
    names = [each["name"] for each in known.parameters if "variadic" not in each]
    variadic = {each["variadic"] for each in known.parameters if "variadic" in each}
    if args and not known.parameters:
        raise ConfigurationError(
            f"nobody knows the names of the arguments of {known.name}: give them by name (--x=1), or import its "
            "module with -i"
        )
    if len(args) > len(names):
        raise ConfigurationError(f"{known.name} takes at most {len(names)} arguments, not {len(args)}")
    arguments = dict(zip(names, args, strict=False))
    twice = arguments.keys() & kwargs.keys()
    if twice:
        raise ConfigurationError(f"{known.name}: {', '.join(sorted(twice))} given twice")
    arguments.update(kwargs)
    if known.parameters:
        strange = [name for name in arguments if name not in names]
        if strange and "kwargs" not in variadic:
            raise ConfigurationError(f"{known.name} takes no argument {strange[0]!r}: it takes {', '.join(names)}")
        missing = [each["name"] for each in known.parameters if each.get("required") and each["name"] not in arguments]
        if missing:
            raise ConfigurationError(f"{known.name} needs the argument {missing[0]!r}")
    return arguments


def _value(word: str) -> Any:
    try:
        return orjson.loads(word)
    except orjson.JSONDecodeError:
        return word

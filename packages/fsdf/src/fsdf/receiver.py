"""The first argument of methods: how an object or class travels, and how it is found again.

On the wire it is `{first_param_name, cls_name, cls_file, cls_module[, obj_init_params]}`. The class is found
from the function itself; what the wire says may only choose that class or a loaded subclass of it, so a
message cannot make a worker import or build anything else.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import ConfigurationError, DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INSTANCE, CLASS, PLAIN = "INSTANCE_METHOD", "CLASS_METHOD", "COMMON_FUNCTION"
INIT_PARAMS = "obj_init_params"
_LOCALS = "<locals>"


class Receiver:
    """Knows whether a function is a method, and carries its first argument.

    Args:
        function: the function as written in the class.
        kind: what it is, if it is known; else found out when the class exists.
    """

    def __init__(self, function: Callable[..., Any], kind: str | None) -> None:
        self._function = function
        self._path = getattr(function, "__qualname__", "").split(".")
        self._kind = kind
        self.owner: type | None = None
        """The class that defines the function, once it is known."""
        code = getattr(function, "__code__", None)
        self.name: str = code.co_varnames[0] if code and code.co_argcount else ""
        """The first parameter's name."""
        self.possible = (
            bool(self.name) and len(self._path) > 1 and self._path[-2] != _LOCALS
            if kind is None
            else kind in {INSTANCE, CLASS}
        )
        """Whether the function may be a method: False spares any look at its arguments."""

    def kind(self) -> str:
        """Return INSTANCE, CLASS or PLAIN; static methods are plain functions."""
        if self._kind is None:
            self._kind = self._found_kind()
        return self._kind

    def pack(self, value: Any) -> dict[str, Any]:
        """Return the wire form of an object, or of a class for class methods.

        Raises:
            TypeError: it is none of the method's class, or the object has no `obj_init_params`.
        """
        owner = self._owning()
        is_class = self.kind() == CLASS
        cls = value if is_class else type(value)
        if not isinstance(cls, type) or not issubclass(cls, owner):
            wanted = f"the class {owner.__name__}" if is_class else f"an object of {owner.__name__}"
            example = owner.__name__ if is_class else f"{owner.__name__}(…)"
            raise TypeError(
                f"{self._function.__qualname__}: the first argument must be {wanted}, not {value!r}; "
                f"for example {self._function.__qualname__}.push({example}, …)"
            )
        module = sys.modules.get(cls.__module__)
        packed = {
            "first_param_name": self.name,
            "cls_name": cls.__name__,
            "cls_file": getattr(module, "__file__", None),
            "cls_module": cls.__module__,
        }
        if not is_class:
            parameters = getattr(value, INIT_PARAMS, None)
            if not isinstance(parameters, dict):
                raise TypeError(
                    f"{cls.__name__} objects cannot be sent: a worker rebuilds them as "
                    f"{cls.__name__}(**obj.{INIT_PARAMS}), so set the dict self.{INIT_PARAMS} in __init__"
                )
            packed[INIT_PARAMS] = parameters
        return packed

    def unpack(self, packed: Any) -> Any:
        """Return the class, or a new object of it.

        Raises:
            DecodeError: the wire form is none, or names a class that is neither the method's own nor a
                subclass of it.
        """
        if not isinstance(packed, dict) or not isinstance(packed.get("cls_name"), str):
            raise DecodeError(f"the argument {self.name!r} is no class or object on the wire")
        cls = self._chosen(packed["cls_name"], packed.get("cls_module"))
        if self.kind() == CLASS:
            return cls
        parameters = packed.get(INIT_PARAMS)
        if not isinstance(parameters, dict):
            raise DecodeError(f"the argument {self.name!r} lacks {INIT_PARAMS}")
        return cls(**parameters)

    def _chosen(self, name: str, module: Any) -> type:
        owner = self._owning()
        if name in {owner.__name__, owner.__qualname__}:
            return owner
        named = [cls for cls in _subclasses(owner) if name in {cls.__name__, cls.__qualname__}]
        exact = [cls for cls in named if cls.__module__ == module] or named
        if len(exact) != 1:
            raise DecodeError(f"{name!r} is {'more than one' if exact else 'no'} loaded subclass of {owner.__name__}")
        return exact[0]

    def _owning(self) -> type:
        if self.owner is None:
            self.owner = self._lookup()
        if self.owner is None:
            raise ConfigurationError(
                f"{self._function.__qualname__}: its class cannot be found from its module "
                f"{self._function.__module__!r}: define the class at the module's top level"
            )
        return self.owner

    def _lookup(self) -> type | None:
        found: Any = sys.modules.get(self._function.__module__)
        for part in self._path[:-1]:
            found = getattr(found, part, None)
        return found if isinstance(found, type) else None

    def _found_kind(self) -> str:
        if not self.possible:
            return PLAIN
        owner = self.owner or self._lookup()
        if owner is None:
            # A class inside a function: only the custom of naming is left.
            return {"self": INSTANCE, "cls": CLASS}.get(self.name, PLAIN)
        found = owner.__dict__.get(self._path[-1])
        if isinstance(found, staticmethod):
            return PLAIN
        return CLASS if isinstance(found, classmethod) else INSTANCE


def _subclasses(cls: type) -> Iterator[type]:
    children: list[type] = type.__subclasses__(cls)
    for child in children:
        yield child
        yield from _subclasses(child)

"""Which parameters do something in this version; the others must keep their defaults.

Whoever builds a feature moves its parameters out of here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.errors import UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PARAMS_NOT_BUILT = frozenset(
    {
        "is_fake_booster",
    }
)
"""Fields of `BoosterParams`."""

OPTIONS_NOT_BUILT = frozenset(
    {
        "can_not_json_serializable_keys",
    }
)
"""Fields of `TaskOptions`."""


def refuse_unbuilt(
    values: Mapping[str, Any], defaults: Mapping[str, Any], not_built: Collection[str], owner: str
) -> None:
    """Raise for each parameter that asks for what this version cannot do.

    Raises:
        UnsupportedFeature: a parameter has another value than its default; names it.
    """
    asked = [name for name in sorted(not_built) if values[name] != defaults[name]]
    if asked:
        raise UnsupportedFeature(
            f"{owner}: {', '.join(asked)} cannot be set yet, the feature comes with a later version of fsdf: "
            f"leave {'it' if len(asked) == 1 else 'them'} out"
        )

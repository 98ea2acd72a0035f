"""What controls keep of a success is made in the worker, where the message is at hand; it travels no further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fsdf_core.control import Control, overriding
from fsdf_core.errors import FsdfError
from fsdf_core.message import STAMPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.broker import Delivery
    from fsdf_core.message import Message

Digest = tuple[Any, ...]
"""What the broker delivered, then what each control keeps, in the order of `digesting`."""

_STAMPS = frozenset(STAMPS)


class Begun(NamedTuple):
    """Digests that are being stored.

    Attributes:
        deliveries: of the messages.
        kept: for each control what it keeps of them.
        waits: for each control what waits for its part; None where nothing was begun.
    """

    deliveries: Sequence[Delivery | None]
    kept: Sequence[Sequence[Any]]
    waits: list[Callable[[], None] | None]


def digesting(controls: Sequence[Control]) -> list[Control]:
    """Return the controls that keep something of each success; none if one of them must see the messages."""
    storing: list[Control] = [effect.__self__ for effect in overriding(controls, "on_settle")]
    wanting = [control for control in storing if not control.settle_options_only]
    return wanting if len(overriding(wanting, "digest")) == len(wanting) else []


def digester(controls: Sequence[Control]) -> Callable[[Message], Digest | None] | None:
    """Return what digests a message that has succeeded at once; None if no control keeps anything.

    It returns None for a message that is to be settled as a whole, and raises what its task has failed by.
    """
    digests = overriding(digesting(controls), "digest")
    if not digests:
        return None

    tell = _telling(*digests)

    def digest(message: Message) -> Digest | None:
        if message.settlement is not None or message.outcome is not None:
            return None
        if not message.plain and message.extra.keys() != _STAMPS:  # a sample has no options either
            return None
        try:
            return tell(message)
        except FsdfError:
            raise
        except Exception:  # noqa: BLE001 - `on_settle` will meet the same fault, where it is logged
            _ask_each(digests, message)
            return None

    return digest


def _telling(*digests: Callable[[Message], Any]) -> Callable[[Message], Digest | None]:
    """Return what asks all, since each may say that the task has failed; two are asked in half the time."""
    if len(digests) != 2:  # noqa: PLR2004 - results and records

        def told(message: Message) -> Digest | None:
            parts = [one(message) for one in digests]
            return None if any(part is None for part in parts) else (message.delivery, *parts)

        return told

    first, second = digests

    def told_two(message: Message) -> Digest | None:
        part, other = first(message), second(message)
        return None if part is None or other is None else (message.delivery, part, other)

    return told_two


def _ask_each(digests: Sequence[Callable[[Message], Any]], message: Message) -> None:
    """Ask again, those too that come after a faulty one: they may say that the task has failed."""
    for one in digests:
        try:
            one(message)
        except FsdfError:
            raise
        except Exception:  # noqa: BLE001, S110 - as above
            pass


def begin_to_store(controls: Sequence[Control], digests: Sequence[Digest]) -> Begun:
    """Let those controls begin that can: while a server stores one batch, the next one is made ready."""
    deliveries, *kept = zip(*digests, strict=True)
    return Begun(deliveries, kept, [_begin(control, some) for control, some in zip(controls, kept, strict=True)])


def stored(wait: Callable[[], None] | None) -> bool:
    """Wait for what was begun; False if it must be done anew, by `Control.on_digests`."""
    if wait is None:
        return False
    try:
        wait()
    except Exception:  # noqa: BLE001 - whatever it is, the second try meets it, too, and is looked after
        return False
    return True


def _begin(control: Control, digests: Sequence[Any]) -> Callable[[], None] | None:
    try:
        return control.begin_digests(digests)
    except Exception:  # noqa: BLE001 - as above
        return None

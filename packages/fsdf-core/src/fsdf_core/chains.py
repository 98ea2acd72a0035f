"""The controls around a call: all of them, and those that each message must pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fsdf_core.control import Control, overriding

if TYPE_CHECKING:
    from collections.abc import Sequence


class Chains(NamedTuple):
    """Ways to run a message.

    Attributes:
        whole: through all controls.
        plain: for messages without options: not through controls that look at samples or options only.
        digested: for those of them whose success is digested: nor through controls to which that is enough.
        bare: `plain` passes no control at all.
    """

    whole: Any
    plain: Any
    digested: Any
    bare: bool


def chains(innermost: Any, controls: Sequence[Control], hook: str) -> Chains:
    """Put the controls around a call, the first being the outermost.

    Args:
        innermost: what they wrap.
        controls: of the consumer.
        hook: "around" or "around_async".
    """
    arounds = overriding(controls, hook)
    always = [around for around in arounds if not _passes_plain(around.__self__)]
    undigested = [around for around in always if around.__self__.around_digested]
    whole = _wrapped(innermost, arounds)
    plain = whole if len(always) == len(arounds) else _wrapped(innermost, always)
    # What digests look at is what the function returned: none may be in between that returns something else.
    return Chains(whole, plain, plain if undigested else innermost, not always)


def _passes_plain(control: Control) -> bool:
    """Whether messages without options need not go through a control's `around`."""
    return control.around_options_only or type(control).around_every is not Control.around_every


def _wrapped(call: Any, arounds: Sequence[Any]) -> Any:
    for around in reversed(arounds):
        call = around(call)
    return call

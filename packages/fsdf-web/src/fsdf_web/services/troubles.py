"""A store that is away takes a part of a page, not the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fsdf_core.errors import FsdfError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
U = TypeVar("U")


class Troubles:
    """Collects what could not be found out.

    Attributes:
        texts: why, each once.

    Example:
        >>> from fsdf_core.errors import StateUnavailable
        >>> def lost():
        ...     raise StateUnavailable("no store")
        >>> troubles = Troubles()
        >>> troubles.caught(lost, 0), troubles.texts
        (0, ['no store'])
    """

    def __init__(self) -> None:
        self.texts: list[str] = []

    def caught(self, ask: Callable[[], T], otherwise: U) -> T | U:
        """Return the answer, or something else if the answer cannot be had."""
        try:
            return ask()
        except FsdfError as error:
            if str(error) not in self.texts:
                self.texts.append(str(error))
            return otherwise

"""Several commands on one line, with a "-" between them, as older frameworks have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SEPARATOR = "-"
_BEFORE = frozenset({"push", "publish", "clear", "pause", "continue_consume", "show_all_queues"})
_AFTER = _BEFORE | {
    "consume", "consume_queues", "consume_all", "consume_all_queues", "mp_consume", "mp_consume_queues",
    "mp_consume_all",
}  # fmt: skip
_VALUED = {"--project_root_path", "--import_modules_str", "--booster_dirs_str", "--max_depth", "--py_file_re_str"}
"""Options before the command; the value is a word of its own if there is no "=" in between."""


def commands_of(words: Sequence[str]) -> list[list[str]]:
    """Return the words of each command.

    A "-" stands between two commands if one that ends by itself began before it, and the next word is a command of
    older frameworks. Otherwise it is a word like others: `publish sums -` reads its messages from standard input.

    Example:
        >>> commands_of(["clear", "sums", "-", "push", "sums", "1", "-", "consume", "sums"])
        [['clear', 'sums'], ['push', 'sums', '1'], ['consume', 'sums']]
        >>> commands_of(["publish", "sums", "-"])
        [['publish', 'sums', '-']]
    """
    found: list[list[str]] = [[]]
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word == SEPARATOR and following in _AFTER and _command(found[-1]) in _BEFORE:
            found.append([])
        else:
            found[-1].append(word)
    return found


def _command(words: Sequence[str]) -> str | None:
    before = ""
    for word in words:
        if not word.startswith("-") and before not in _VALUED:
            return word
        before = word
    return None

"""The words that the pages say."""

import re
from pathlib import Path

import fsdf_web.templates
from fsdf_core.records import STATUSES

_SAID = re.compile(r"""_\((["'])(.*?)\1[,)]""")
_LISTED = re.compile(r"""\("[^"]*", "([^"]+)"\)""")


def said() -> set[str]:
    """Return all English words of templates and of what is shown as a status."""
    texts = [path.read_text(encoding="utf-8") for path in Path(fsdf_web.templates.__file__).parent.glob("*.html")]
    words = {word for text in texts for _, word in _SAID.findall(text)}
    listed = {word for text in texts for word in _LISTED.findall(text)}
    return words | listed | set(STATUSES) | {"pending", "This token is not right."}

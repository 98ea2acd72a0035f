"""The settings as a page (`python -m fsdf_core.settings_page PATH`) and as a file to begin with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import ENV_PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN = "<!-- The table is written by `hatch run docs`. -->"
END = "<!-- End of the table. -->"


def table() -> str:
    """Return all settings as a Markdown table."""
    rows = ["| name | environment | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name.upper()}` | `{ENV_PREFIX}{name.upper()}` | {f'`{default}`' if default else 'none'} | {meaning} |"
        for name, default, meaning in _settings()
    ]
    return "\n".join(rows) + "\n"


def rewritten(text: str) -> str:
    """Return a page with the table between its two marks.

    Raises:
        ConfigurationError: the page does not have both marks, once, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ConfigurationError(f"the page needs these two lines, once, in this order: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def config_template() -> str:
    """Return the text of a `fsdf_config.py` with every setting commented out."""
    lines = [
        '"""Settings of fsdf. The environment (FSDF_NAME) goes before this file; `fsdf doctor --config` shows all."""'
    ]
    for name, default, meaning in _settings():
        lines += ["", f"# {meaning}", f"# {name.upper()} = {_literal(name, default)}"]
    return "\n".join(lines) + "\n"


def _settings() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        yield name, _default(field.default), field.description or ""


def _default(value: Any) -> str:
    if value is None or value is PydanticUndefined:
        return ""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _literal(name: str, default: str) -> str:
    value = Settings.model_fields[name].default
    return repr(default) if isinstance(value, str | SecretStr) or not default else default


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(rewritten(page.read_text(encoding="utf-8")), encoding="utf-8")

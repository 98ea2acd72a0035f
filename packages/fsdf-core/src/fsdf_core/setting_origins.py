"""Where each setting's value came from, with secrets masked: for people who look for a mistake."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from pydantic import SecretStr

from fsdf_core.config_modules import CONFIG_MODULE, config_files
from fsdf_core.old_settings import NAMES as OLD_NAMES
from fsdf_core.settings import ENV_PREFIX, Settings, from_files, get_settings, patched
from fsdf_core.suggest import did_you_mean

_PASSWORD = re.compile(r"(?<=://)([^@/?#\s]*?):[^@/?#]*@")
_PARAMETER = re.compile(r"(?i)([?&;](?:[^=&;]*(?:pass|secret|token|key)[^=&;]*)=)[^&;]*")

_OTHERS = ("FSDF_WEB_", "FSDF_DEBUG")
"""Variables of the web UI and of the command line."""


class SettingOrigin(NamedTuple):
    """One setting.

    Attributes:
        name: the setting's name.
        value: as text, without passwords.
        source: "code", "environment", a file's name, or "default".
        spelling: its name there.
        path: the file, "" if it is none.
    """

    name: str
    value: str
    source: str
    spelling: str
    path: str


def setting_origins() -> list[SettingOrigin]:
    """Return all settings, in their order.

    Raises:
        ConfigurationError: a value is not valid.
    """
    settings, code, files = get_settings(), patched(), from_files()
    environment = {name.upper(): name for name, value in os.environ.items() if value}
    origins = []
    for name in Settings.model_fields:
        in_environment = environment.get(f"{ENV_PREFIX}{name}".upper())
        if name in code:
            source, spelling, path = "code", f"patch_frame_config({name}=…)", ""
        elif in_environment is not None:
            source, spelling, path = "environment", in_environment, ""
        elif name in files:
            _, spelling, file = files[name]
            source, path = file.name, str(file.path or "")
        else:
            source, spelling, path = "default", "", ""
        origins.append(SettingOrigin(name, shown(getattr(settings, name)), source, spelling, path))
    return origins


def unknown_names() -> list[str]:
    """Return what looks like a setting and is none: `FSDF_…` in the environment, names in `fsdf_config.py`."""
    found = [
        f"{name} (environment) is no setting.{did_you_mean(name.removeprefix(ENV_PREFIX), Settings.model_fields)}"
        for name in sorted(os.environ)
        if name.startswith(ENV_PREFIX)
        and not name.startswith(_OTHERS)
        and name.removeprefix(ENV_PREFIX).lower() not in Settings.model_fields
    ]
    for file in config_files():
        if isinstance(file.values.get("DEFAULT_BROKER_KIND"), int):
            found.append(f"DEFAULT_BROKER_KIND ({file.name}) is a number, which is not read: write the broker's name")
        if file.path is not None and file.path.stem != CONFIG_MODULE:
            continue
        found += [
            f"{name} ({file.name}) is no setting.{did_you_mean(name, Settings.model_fields)}"
            for name in file.values
            if name.isupper() and name.lower() not in Settings.model_fields and name not in OLD_NAMES
        ]
    return found


def shown(value: Any) -> str:
    """Return a setting's value without passwords.

    Example:
        >>> shown(SecretStr("redis://:secret@host:6379/0"))
        'redis://:***@host:6379/0'
    """
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", value.get_secret_value()))
    return str(value)

"""Where things are: one setting a service, from the environment, `fsdf_config.py` or code.

The first source that names a setting wins: `patch_frame_config(...)`, environment `FSDF_<NAME>`, the module
`fsdf_config` (on `sys.path` or in the project root; the same names without the prefix), defaults.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

CONFIG_MODULE = "fsdf_config"
_ROOT_MARKS = (f"{CONFIG_MODULE}.py", "pyproject.toml", ".git")


def project_root(start: Path | None = None) -> Path:
    """Return the nearest folder upward of `start` (default: the working directory) that marks a project.

    Marks are `fsdf_config.py`, `pyproject.toml` and `.git`; without any, `start` itself is the root.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _ROOT_MARKS):
            return folder
    return start


class Settings(BaseSettings):
    """All settings. Passwords inside URLs are secrets: they are never printed.

    Attributes:
        home: folder of the embedded SQLite files; created when first used. Default `.fsdf` in the project root.
        broker: broker kind of functions that name none. Default SQLITE_QUEUE.
        log_level: level of the `fsdf` loggers whose function names none. Default INFO.
        timezone: IANA name that reads naive times and writes `publish_time_format`; None is the machine's.
        heartbeat_timeout: seconds after which a consumer's heartbeat is stale. Default 5.
        lease_limit: seconds without a heartbeat after which even a living consumer loses its messages. Default 300.
        grace: seconds that running tasks have to end on SIGTERM, SIGINT or leaving the interpreter. Default 30.
        state_url: where filters, pauses, kills and schedules are kept; None is a SQLite file in `home`.
        sqlalchemy_url: the database of SQLALCHEMY; None is a SQLite file in `home`.
        postgres_url: the database of POSTGRES; None: `sqlalchemy_url`.
        handle_signals: let `consume()` take SIGTERM and SIGINT. Default True.
    """

    model_config = SettingsConfigDict(env_prefix="FSDF_", extra="ignore", validate_default=True)

    home: Path = Field(default_factory=lambda: project_root() / ".fsdf")
    broker: str = "SQLITE_QUEUE"
    log_level: int = logging.INFO
    timezone: str | None = None
    heartbeat_timeout: float = Field(default=5.0, gt=0)
    lease_limit: float = Field(default=300.0, gt=0)
    grace: float = Field(default=30.0, ge=0)
    handle_signals: bool = True
    state_url: SecretStr | None = None
    records_url: SecretStr | None = None
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    rabbitmq_url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/%2F")
    kafka_bootstrap_servers: SecretStr = SecretStr("127.0.0.1:9092")
    mongo_url: SecretStr = SecretStr("mongodb://127.0.0.1:27017")
    sqlalchemy_url: SecretStr | None = None
    postgres_url: SecretStr | None = None

    @field_validator("log_level", mode="before")
    @classmethod
    def _level_of_name(cls, value: Any) -> Any:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            level = logging.getLevelName(value.strip().upper())
            if not isinstance(level, int):
                raise ValueError(f"unknown log level {value!r}: use DEBUG, INFO, WARNING, ERROR or CRITICAL")
            return level
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: code, environment, configuration module."""
        return init_settings, env_settings, _ModuleSource(settings_cls)


class _ModuleSource(PydanticBaseSettingsSource):
    """Reads the attributes of `fsdf_config`, in upper or lower case."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError(f"{field_name} ({field}) is read by __call__, with all the others")

    def __call__(self) -> dict[str, Any]:
        module = _load_config_module()
        found = {}
        for name in self.settings_cls.model_fields:
            for spelling in (name.upper(), name):
                if hasattr(module, spelling):
                    found[name] = getattr(module, spelling)
                    break
        return found


def _load_config_module() -> Any:
    if CONFIG_MODULE in sys.modules:
        return sys.modules[CONFIG_MODULE]
    spec = importlib.util.find_spec(CONFIG_MODULE)
    if spec is None:
        path = project_root() / f"{CONFIG_MODULE}.py"
        if not path.is_file():
            return None
        spec = importlib.util.spec_from_file_location(CONFIG_MODULE, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[CONFIG_MODULE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(CONFIG_MODULE, None)
        raise
    return module


_lock = threading.Lock()
_patches: dict[str, Any] = {}
_current: Settings | None = None


def get_settings() -> Settings:
    """Return the process's settings, read on first use.

    Raises:
        ConfigurationError: a value is not valid; names it and its source's spelling.
    """
    global _current  # noqa: PLW0603 - the one cache
    with _lock:
        if _current is None:
            _current = _read(_patches)
        return _current


def patch_frame_config(**names: Any) -> None:
    """Set settings from code, above every other source; brokers that are already open keep theirs.

    Raises:
        ConfigurationError: a name is unknown (suggests the nearest) or a value not valid.
    """
    global _current  # noqa: PLW0603 - the one cache
    lowered = {name.lower().removeprefix("fsdf_"): value for name, value in names.items()}
    for name in lowered:
        if name not in Settings.model_fields:
            raise ConfigurationError(f"unknown setting {name!r}.{did_you_mean(name, Settings.model_fields)}")
    with _lock:
        merged = _patches | lowered
        _current = _read(merged)
        _patches.update(lowered)


def patched() -> dict[str, Any]:
    """Return what `patch_frame_config` has set, for other processes of ours."""
    with _lock:
        return dict(_patches)


def _read(patches: dict[str, Any]) -> Settings:
    try:
        return Settings(**patches)
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(
            f"settings are not valid: {faults}. Set them as FSDF_<NAME>, in fsdf_config.py or by patch_frame_config()"
        ) from None

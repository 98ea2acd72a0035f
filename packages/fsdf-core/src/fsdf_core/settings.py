"""Where things are: one setting a service, from the environment, `fsdf_config.py` or code.

The first source that names a setting wins: `patch_frame_config(...)`, environment `FSDF_<NAME>`, the module
`fsdf_config` (on `sys.path` or in the project root; the same names without the prefix, or those of older
frameworks), a `funboost_config.py` or `distributed_frame_config.py` there, defaults.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path  # noqa: TC003 - pydantic reads it
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fsdf_core.config_modules import CONFIG_MODULE, ConfigFile, config_files, project_root
from fsdf_core.errors import ConfigurationError
from fsdf_core.old_settings import translated
from fsdf_core.suggest import did_you_mean

__all__ = ["CONFIG_MODULE", "Settings", "get_settings", "patch_frame_config", "patched", "project_root"]
ENV_PREFIX = "FSDF_"


class Settings(BaseSettings):
    """All settings; `docs/settings.md` lists them. Passwords inside URLs are secrets: they are never printed."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, extra="ignore", validate_default=True, env_ignore_empty=True
    )

    home: Path = Field(
        default_factory=lambda: project_root() / ".fsdf",
        description="Folder of the embedded SQLite files, created when first used; `.fsdf` in the project root.",
    )
    broker: str = Field(default="SQLITE_QUEUE", description="Broker kind of functions that name none.")
    log_level: int = Field(
        default=logging.INFO, description="Level of the `fsdf` loggers whose function names none: a name or a number."
    )
    log_console: bool = Field(
        default=False, description="Write log lines to standard error if the program has set up no logging."
    )
    log_handler: Literal["logging", "nb_log"] = Field(
        default="logging",
        description="Who writes log lines of functions that do not say: the program's logging, or nb_log's handlers.",
    )
    log_dir: Path | None = Field(default=None, description="Folder of log files; none is `logs` in `home`.")
    log_file_size: int = Field(
        default=100_000_000, ge=1, description="Bytes after which nb_log's handler begins a new file."
    )
    log_file_count: int = Field(default=10, ge=1, description="Log files that nb_log's handler keeps of a queue.")
    log_kafka_servers: SecretStr | None = Field(
        default=None, description="Kafka servers, separated by commas, that nb_log's handlers send log lines to, too."
    )
    log_elastic_url: SecretStr | None = Field(
        default=None, description="Elasticsearch server that nb_log's handlers send log lines to, too."
    )
    timezone: str | None = Field(
        default=None,
        description="IANA name of the zone of naive times and of `publish_time_format`; none: the machine's.",
    )
    heartbeat_timeout: float = Field(
        default=5.0, gt=0, description="Seconds after which a consumer's heartbeat is stale."
    )
    lease_limit: float = Field(
        default=300.0,
        gt=0,
        description="Seconds without a heartbeat after which even a living consumer loses its messages.",
    )
    grace: float = Field(
        default=30.0,
        ge=0,
        description="Seconds that running tasks have to end on SIGTERM, SIGINT or leaving the interpreter.",
    )
    handle_signals: bool = Field(default=True, description="Let `consume()` take SIGTERM and SIGINT.")
    gc_freeze: bool = Field(
        default=True,
        description="Let the first `consume()` spare Python's garbage collector what was loaded by then "
        "(gc.freeze), and collect young objects by the 50 000.",
    )
    concurrent_num: int | None = Field(
        default=None, ge=1, description="Calls at once in every consumer, whatever its function says."
    )
    qps: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Starts a second in every consumer, whatever its function says; 0 is no limit.",
    )
    state_url: SecretStr | None = Field(
        default=None,
        description="Where filters, pauses, kills, workers and schedules are kept; none is a SQLite file in `home`.",
    )
    records_url: SecretStr | None = Field(
        default=None, description="Where task records are kept; none is a SQLite file in `home`."
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="First port to try for Prometheus' endpoint; 0 is any, none is no endpoint.",
    )
    metrics_address: str = Field(default="127.0.0.1", description="Address of Prometheus' endpoint.")
    tracing: bool = Field(default=False, description="Trace every task by OpenTelemetry.")
    redis_url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"), description="The Redis server.")
    rabbitmq_url: SecretStr = Field(
        default=SecretStr("amqp://guest:guest@127.0.0.1:5672/%2F"), description="The RabbitMQ server."
    )
    kafka_bootstrap_servers: SecretStr = Field(
        default=SecretStr("127.0.0.1:9092"), description="Kafka servers to begin with, separated by commas."
    )
    mongo_url: SecretStr = Field(default=SecretStr("mongodb://127.0.0.1:27017"), description="The MongoDB server.")
    sqlalchemy_url: SecretStr | None = Field(
        default=None, description="The database of SQLALCHEMY; none is a SQLite file in `home`."
    )
    postgres_url: SecretStr | None = Field(
        default=None, description="The database of POSTGRES; none: `sqlalchemy_url`."
    )

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
    """Reads the configuration files."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError(f"{field_name} ({field}) is read by __call__, with all the others")

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, (value, _, _) in from_files().items()}


def from_files() -> dict[str, tuple[Any, str, ConfigFile]]:
    """Return what the configuration files set: by setting, the value, the name there, and the file.

    Raises:
        ConfigurationError: a file of an older framework cannot be run.
        Exception: whatever `fsdf_config.py` raises.
    """
    found: dict[str, tuple[Any, str, ConfigFile]] = {}
    for file in config_files():
        old = translated(file.values)
        for name in Settings.model_fields:
            if name in found:
                continue
            spelling = next((each for each in (name.upper(), name) if each in file.values), None)
            if name in old and (spelling is None or spelling == old[name][0]):
                found[name] = old[name][1], old[name][0], file
            elif spelling is not None:
                found[name] = file.values[spelling], spelling, file
    return found


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

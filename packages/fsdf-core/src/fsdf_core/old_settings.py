"""Settings under the names of older frameworks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DEFAULT_FOLDER = "/sqllite_queues"
"""What the template of the older framework says; only root can write there, and nobody has chosen it."""

RENAMED = {
    "mongo_url": "MONGO_CONNECT_URL",
    "sqlalchemy_url": "SQLACHEMY_ENGINE_URL",
    "kombu_url": "KOMBU_URL",
    "nats_url": "NATS_URL",
    "mqtt_host": "MQTT_HOST",
    "pulsar_url": "PULSAR_URL",
    "celery_broker_url": "CELERY_BROKER_URL",
    "celery_result_backend": "CELERY_RESULT_BACKEND",
    "dramatiq_url": "DRAMATIQ_URL",
    "txt_file_path": "TXT_FILE_PATH",
    "timezone": "TIMEZONE",
}
"""Settings whose values stay, and their old names; one that this version does not have is not looked for."""


def translated(values: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return the settings that old names give: by setting, the old name or names and the value.

    Args:
        values: names and values of a configuration file.
    """
    found: dict[str, tuple[str, Any]] = {
        setting: (old, values[old]) for setting, old in RENAMED.items() if values.get(old) is not None
    }
    for setting, translate in _BUILT.items():
        built = translate(values)
        if built is not None:
            found[setting] = built
    return found


def _redis(values: Mapping[str, Any]) -> tuple[str, str] | None:
    given = [name for name in values if name.startswith("REDIS_") and name != "REDIS_URL"]
    if "REDIS_HOST" not in given:
        return None
    user = values.get("REDIS_USERNAME") or values.get("REDIS_USER") or ""
    scheme = "rediss" if values.get("REDIS_SSL") or values.get("REDIS_USE_SSL") else "redis"
    login = _login(user, values.get("REDIS_PASSWORD"))
    host = f"{values['REDIS_HOST']}:{values.get('REDIS_PORT', 6379)}"
    return "REDIS_HOST, …", f"{scheme}://{login}{host}/{values.get('REDIS_DB', 0)}"


def _rabbitmq(values: Mapping[str, Any]) -> tuple[str, str] | None:
    if "RABBITMQ_HOST" not in values:
        return None
    login = _login(values.get("RABBITMQ_USER") or "guest", values.get("RABBITMQ_PASS") or "guest")
    vhost = quote(str(values.get("RABBITMQ_VIRTUAL_HOST") or "/"), safe="")
    host = f"{values['RABBITMQ_HOST']}:{values.get('RABBITMQ_PORT', 5672)}"
    return "RABBITMQ_HOST, …", f"amqp://{login}{host}/{vhost}"


def _postgres(values: Mapping[str, Any]) -> tuple[str, str] | None:
    dsn = values.get("POSTGRES_DSN")
    if not isinstance(dsn, str) or not dsn:
        return None
    if "://" in dsn:
        return "POSTGRES_DSN", dsn
    # The form of libpq, such as "host=db port=5432 dbname=shop user=me password=secret".
    parts = dict(word.partition("=")[::2] for word in dsn.split())
    login = _login(parts.get("user", ""), parts.get("password"))
    host = f"{parts.get('host', '127.0.0.1')}:{parts.get('port', '5432')}"
    return "POSTGRES_DSN", f"postgresql://{login}{host}/{parts.get('dbname', '')}"


def _kafka(values: Mapping[str, Any]) -> tuple[str, str] | None:
    servers = values.get("KAFKA_BOOTSTRAP_SERVERS")
    if isinstance(servers, list | tuple):
        return "KAFKA_BOOTSTRAP_SERVERS", ",".join(map(str, servers))
    return None


def _home(values: Mapping[str, Any]) -> tuple[str, str] | None:
    folder = values.get("SQLLITE_QUEUES_PATH")
    return None if folder in {None, "", _DEFAULT_FOLDER} else ("SQLLITE_QUEUES_PATH", str(folder))


def _broker(values: Mapping[str, Any]) -> tuple[str, str] | None:
    kind = values.get("DEFAULT_BROKER_KIND")
    return ("DEFAULT_BROKER_KIND", kind) if isinstance(kind, str) else None


def _login(user: Any, password: Any) -> str:
    if not user and not password:
        return ""
    return f"{quote(str(user or ''), safe='')}:{quote(str(password or ''), safe='')}@"


_BUILT: dict[str, Callable[[Mapping[str, Any]], tuple[str, str] | None]] = {
    "redis_url": _redis,
    "rabbitmq_url": _rabbitmq,
    "postgres_url": _postgres,
    "kafka_bootstrap_servers": _kafka,
    "home": _home,
    "broker": _broker,
}

NAMES = frozenset(
    {
        *RENAMED.values(),
        *(f"REDIS_{end}" for end in ("HOST", "USERNAME", "USER", "PASSWORD", "PORT", "DB", "SSL", "USE_SSL", "URL")),
        *(f"RABBITMQ_{end}" for end in ("HOST", "USER", "PASS", "PORT", "VIRTUAL_HOST", "URL")),
        "POSTGRES_DSN",
        "KAFKA_BOOTSTRAP_SERVERS",
        "SQLLITE_QUEUES_PATH",
        "DEFAULT_BROKER_KIND",
        "REDIS_DB_FILTER_AND_RPC_RESULT",
    }
)
"""Old names that mean something here, or whose meaning is gone without harm."""

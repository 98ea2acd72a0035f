"""Checks of brokers and stores: whether they answer, and which version they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_cli.addresses import publishing_only, state
from fsdf_cli.checkup.finding import Finding
from fsdf_cli.checkup.versions import version_of
from fsdf_cli.mistakes import troubles
from fsdf_core.errors import MissingDependency
from fsdf_core.roster import KnownQueue
from fsdf_core.setting_origins import shown
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import SecretStr

    from fsdf_core.settings import Settings

_PROBE = "fsdf_doctor"
_SLOW = 0.5
_SERVERS = {
    "REDIS": ("redis_url",),
    "RABBITMQ": ("rabbitmq_url",),
    "KAFKA": ("kafka_bootstrap_servers",),
    "MONGO": ("mongo_url",),
    "POSTGRES": ("postgres_url", "sqlalchemy_url"),
    "SQLALCHEMY": ("sqlalchemy_url",),
}
"""The settings of brokers whose names begin so; the first one that is set counts."""


def connections(known: Sequence[KnownQueue]) -> Iterator[Finding]:
    """Yield what is to be said of stores, of the brokers of these queues and of the settings, and of their servers."""
    settings = get_settings()
    found = _state(settings)
    yield found
    # Those that do not answer are not asked again.
    servers = [settings.state_url] if found.level != "fault" else []
    servers.append(settings.records_url)
    by_kind = {settings.broker: KnownQueue(_PROBE, settings.broker)}
    by_kind |= {queue.broker_kind: queue for queue in known if queue.broker_kind}
    for kind, queue in by_kind.items():
        found = _broker(kind, queue)
        yield found
        if found.level != "fault":
            servers.append(_server_of(kind, settings))
    for url, secret in {secret.get_secret_value(): secret for secret in servers if secret is not None}.items():
        yield from version_of(url, shown(secret))


def _server_of(kind: str, settings: Settings) -> SecretStr | None:
    names = next((names for head, names in _SERVERS.items() if kind.upper().startswith(head)), ())
    return next((secret for name in names if (secret := getattr(settings, name)) is not None), None)


def _state(settings: Settings) -> Finding:
    title = shown(settings.state_url) if settings.state_url else "a SQLite file"
    begun = time.monotonic()
    try:
        state().get(["fsdf:doctor"])
    except troubles() as error:
        return Finding("fault", "state store", str(error), _cure(error, "FSDF_STATE_URL"))
    return _answered("state store", title, time.monotonic() - begun)


def _broker(kind: str, queue: KnownQueue) -> Finding:
    subject = f"broker {kind}"
    begun = time.monotonic()
    try:
        opened = publishing_only(queue).publisher.queue()
        can = opened.broker.capabilities
        if can.size:
            opened.size()
    except troubles() as error:
        return Finding("fault", subject, str(error), _cure(error, f"the setting of {kind}"))
    if not can.size:
        return Finding("good", subject, "is installed; it cannot say how many messages it has, so nothing was asked")
    return _answered(subject, "answers", time.monotonic() - begun)


def _answered(subject: str, title: str, seconds: float) -> Finding:
    if seconds > _SLOW:
        return Finding(
            "risk", subject, f"{title}, after {seconds:.1f} s", "look at the network, and at the server's load"
        )
    return Finding("good", subject, f"{title}, {seconds * 1000:.0f} ms")


def _cure(error: BaseException, setting: str) -> str:
    if isinstance(error, MissingDependency):
        return ""  # the error says what to install
    return f"start the server, or mend {setting}: fsdf doctor --config"

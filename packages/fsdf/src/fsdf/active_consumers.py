"""Which consumers live, under the names of older versions; `fsdf_core.roster.Roster` tells more."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from fsdf_core.registry import open_state
from fsdf_core.roster import Roster
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from fsdf_core.roster import Worker


class ActiveConsumerProcessInfoGetter:
    """Tells of the living consumers, one dict each: of this queue, of this machine, of all.

    A dict has `queue_name`, `computer_name`, `computer_ip`, `process_id`, `consumer_id`, `code_filename`,
    `start_timestamp`, `start_datetime_str`, `hearbeat_timestamp`, `hearbeat_datetime_str`, and everything else that
    `fsdf_core.roster.Worker` has, under its names there.

    Each method raises `StateError` if the state store (the setting `state_url`) cannot be reached.

    Example:
        >>> ActiveConsumerProcessInfoGetter().get_all_hearbeat_info_by_queue_name("sums")  # doctest: +SKIP
        [{'queue_name': 'sums', 'computer_name': 'alpha', 'process_id': 4711, …}]
    """

    def __init__(self) -> None:
        self._roster = Roster(open_state(get_settings()))

    def get_all_hearbeat_info_by_queue_name(self, queue_name: str) -> list[dict[str, Any]]:
        """Return the consumers of a queue."""
        return [_told(worker) for worker in self._roster.workers(queue_name)]

    def get_all_hearbeat_info_by_ip(self, ip: str) -> list[dict[str, Any]]:
        """Return the consumers of a machine, by its address or its name."""
        return [_told(worker) for worker in self._roster.workers() if ip in {worker.ip, worker.host}]

    def get_all_hearbeat_info_partition_by_queue_name(self) -> dict[str, list[dict[str, Any]]]:
        """Return all consumers, by queue."""
        return {queue: [_told(worker) for worker in workers] for queue, workers in self._roster.by_queue().items()}

    def get_all_hearbeat_info_partition_by_ip(self) -> dict[str, list[dict[str, Any]]]:
        """Return all consumers, by their machine's address."""
        grouped: dict[str, list[dict[str, Any]]] = {}
        for worker in self._roster.workers():
            grouped.setdefault(worker.ip, []).append(_told(worker))
        return grouped


ActiveCousumerProcessInfoGetter = ActiveConsumerProcessInfoGetter
"""The known name."""


def _told(worker: Worker) -> dict[str, Any]:
    return {
        **{name: getattr(worker, name) for name in worker.__dataclass_fields__},
        "queue_name": worker.queue,
        "computer_name": worker.host,
        "computer_ip": worker.ip,
        "process_id": worker.pid,
        "code_filename": worker.script,
        "start_timestamp": worker.started,
        "start_datetime_str": _text(worker.started),
        "hearbeat_timestamp": worker.seen,
        "hearbeat_datetime_str": _text(worker.seen),
    }


def _text(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")

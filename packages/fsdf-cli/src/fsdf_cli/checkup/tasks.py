"""Checks of tasks: parameters that together do not do what one may think."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_cli.checkup.finding import Finding
from fsdf_core.errors import ConfigurationError
from fsdf_core.registry import brokers
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fsdf_core.broker import Capabilities
    from fsdf_core.roster import KnownQueue

_SHARED = (
    "do_task_filtering",
    "is_support_remote_kill_task",
    "is_using_distributed_frequency_control",
    "is_using_rpc_mode",
)


def tasks(known: Sequence[KnownQueue]) -> Iterator[Finding]:
    """Yield the risks of these queues' parameters."""
    local_state = get_settings().state_url is None
    for queue in known:
        try:
            can = brokers.get(queue.broker_kind).capabilities
        except ConfigurationError as error:
            yield Finding("fault", queue.name, str(error))
            continue
        found = list(_risks(queue, can, local_state=local_state))
        yield from found or [Finding("good", queue.name, f"{queue.function or 'its task'} on {queue.broker_kind}")]


def _risks(queue: KnownQueue, can: Capabilities, *, local_state: bool) -> Iterator[Finding]:
    params = queue.params
    if not can.acks and ("max_retry_times" in params or params.get("is_push_to_dlx_queue_when_retry_max_times")):
        yield Finding(
            "risk", queue.name, f"retries on {queue.broker_kind}, which forgets what it has delivered: a crash of the "
            "worker loses the task with all its tries", "choose a broker_kind with acks: fsdf brokers",
        )  # fmt: skip
    if not can.durable and can.cross_process:
        yield Finding(
            "risk", queue.name, f"{queue.broker_kind} keeps nothing while no worker listens",
            "choose a durable broker_kind: fsdf brokers",
        )  # fmt: skip
    shared = [name for name in _SHARED if params.get(name)]
    if can.cross_machine and local_state:
        what = f"{', '.join(shared)}, pauses and orders" if shared else "pauses and orders to workers"
        yield Finding(
            "risk", queue.name, f"{what} reach only this host: the queue is shared by hosts, the state store is a file",
            "set FSDF_STATE_URL to a server, if workers run on several hosts",
        )  # fmt: skip
    retries, timeout = params.get("max_retry_times", 3), params.get("function_timeout")
    limit = get_settings().lease_limit
    if timeout and can.liveness == "timeout" and timeout > limit:
        yield Finding(
            "risk", queue.name, f"function_timeout {timeout:g} s is more than the lease limit {limit:g} s: a slow task "
            "is given to another worker while it runs", "raise FSDF_LEASE_LIMIT above the timeout",
        )  # fmt: skip
    if params.get("qps") and not params.get("is_using_distributed_frequency_control") and can.cross_machine:
        yield Finding(
            "good", queue.name, f"qps={params['qps']:g} counts for each consumer by itself, with {retries} retries",
        )  # fmt: skip

"""What reaches the consumers of a queue from any process: pause, resume, kill, forget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf.state import state_of
from fsdf_control.filter import clear_filter
from fsdf_control.kill import DAY, kill
from fsdf_control.pausing import pause, resume
from fsdf_core.registry import open_state
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from fsdf_core.broker import Queue
    from fsdf_core.state import StateStore


def pause_queue(queue: Queue) -> None:
    """Let no task of the queue start, in any process, within a second and until it is resumed."""
    pause(state_of(queue), queue.name)


def resume_queue(queue: Queue) -> None:
    """End the pause."""
    resume(state_of(queue), queue.name)


def forget_filtered(queue: Queue) -> None:
    """Forget which tasks have succeeded: equal ones run again."""
    clear_filter(state_of(queue), queue.name)


class RemoteTaskKiller:
    """Ends one task, waiting or running, in whatever process it is.

    Needs `is_support_remote_kill_task=True` where the task is consumed.

    Args:
        queue_name: its queue. This process need not know its function; those of all its registries are looked at.
        task_id: its id.

    Example:
        >>> RemoteTaskKiller("sums", "01997e…").send_kill_remote_task_comd()
    """

    def __init__(self, queue_name: str, task_id: str | int) -> None:
        self.queue_name = queue_name
        self.task_id = str(task_id)

    def send_kill(self, ttl: float = DAY) -> None:
        """Ask for its end; it comes within two seconds.

        Args:
            ttl: seconds that the wish counts, should the task be delivered later. Default a day.

        Raises:
            StateError: the state store cannot be reached.
        """
        for store in self._stores():
            kill(store, self.queue_name, self.task_id, ttl)

    send_kill_remote_task_comd = send_kill
    """The known name."""

    def _stores(self) -> list[StateStore]:
        from fsdf.boosters_manager import boosters_of  # noqa: PLC0415 - it knows what the user decorated

        # A queue in memory and one at a server may have the same name.
        stores = [state_of(booster.publisher.queue()) for booster in boosters_of(self.queue_name)]
        return list({id(store): store for store in stores}.values()) or [open_state(get_settings())]

"""What can be asked and done about a task's queue."""

from __future__ import annotations

import logging
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import MissingDependency

if TYPE_CHECKING:
    from fsdf.consumer import BoosterConsumer
    from fsdf.publisher import BoosterPublisher
    from fsdf_core.dead_letters import DeadLetters

_DEPLOYED = "FSDF_DEPLOYED"
"""Environment variable of processes that a deployment has started."""


class QueueCommands:
    """The part of a `Booster` that looks at its queue and commands its consumers.

    Attributes:
        publisher: the producer's side.
        consumer: the consumer's side.
    """

    publisher: BoosterPublisher[Any, Any]
    consumer: BoosterConsumer[Any, Any]

    def clear(self) -> None:
        """Delete the messages that wait; those that run are left alone."""
        self.publisher.clear()

    clear_queue = clear

    def pause_consume(self) -> None:
        """Let no task of the queue start, in any process, within a second; survives restarts."""
        from fsdf import remote  # noqa: PLC0415 - reading settings takes long

        remote.pause_queue(self.publisher.queue())

    pause = pause_consume

    def continue_consume(self) -> None:
        """End the pause, within a second."""
        from fsdf import remote  # noqa: PLC0415 - as above

        remote.resume_queue(self.publisher.queue())

    def clear_filter_tasks(self) -> None:
        """Forget which tasks have succeeded: `do_task_filtering` lets equal ones run again."""
        from fsdf import remote  # noqa: PLC0415 - as above

        remote.forget_filtered(self.publisher.queue())

    def dead_letters(self) -> DeadLetters:
        """Return what lists, replays and drops the messages on `<queue_name>_dlx`."""
        from fsdf_core.dead_letters import DeadLetters  # noqa: PLC0415 - comes with the consumer's parts

        return DeadLetters(self.publisher.queue())

    def get_message_count(self) -> int:
        """Return how many messages can be delivered now; -1 if the broker cannot tell."""
        return self.publisher.get_message_count()

    def fabric_deploy(
        self, host: str, port: int | None = None, user: str | None = None, password: str | None = None, **options: Any
    ) -> Any:
        """Run worker processes of this function on a server, in place of those that an earlier call started there.

        Uploads the project (files that have changed) over SSH, starts the processes, waits until they consume, and
        lets the earlier ones drain. `docs/deploying.md` tells more.

        Args:
            host: the server's name or address.
            port: of sshd; default as in `~/.ssh/config`, else 22.
            user: login name; default as in `~/.ssh/config`, else the local one.
            password: for the login; default: keys.
            **options: fields of `fsdf_cli.deployment.DeployOptions` (`process_num`, `python`, `env`,
                `extra_shell_str`, …) and of `fsdf_cli.deployment.Server` (`key`, `host_key`, `check_host_key`, …).

        Returns:
            The `fsdf_cli.deployment.Deployed`; None in a process that was deployed itself.

        Raises:
            MissingDependency: `pip install fsdf[deploy]` is missing.
            ConfigurationError: an option is wrong, or the server cannot import the function.
            fsdf_cli.deployment.DeploymentError: it did not work; with the server's output.
        """
        if os.environ.get(_DEPLOYED):
            logging.getLogger("fsdf.deploy").warning("a deployed process imports a module that deploys, and ignores it")
            return None
        try:
            deployment = import_module("fsdf_cli.deployment")
        except ModuleNotFoundError as error:
            raise MissingDependency(f"deploying needs the library {error.name!r}: pip install fsdf[deploy]") from None
        return deployment.deploy_with(self, host, port=port, user=user, password=password, **options)

    def wait_for_possible_has_finish_all_tasks(self, minutes: float = 3, timeout: float | None = None) -> bool:
        """Wait until all is done: see `BoosterConsumer.wait_for_possible_has_finish_all_tasks`."""
        return self.consumer.wait_for_possible_has_finish_all_tasks(minutes, timeout)

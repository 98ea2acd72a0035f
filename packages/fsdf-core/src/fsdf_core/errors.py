"""The exceptions that fsdf raises.

FsdfError
├── ConfigurationError (ValueError)   a parameter, a setting or a name is wrong
│   ├── UnknownName                   no broker, pool or store of that name; suggests the nearest
│   ├── MissingDependency             the adapter's client library is not installed
│   └── UnsupportedFeature            the broker cannot do it, or this version does not have it yet
├── MessageError
│   ├── EncodeError (TypeError)       an argument is not JSON data
│   │   └── ResultNotJson             what a task returned is not, and somebody waits for it
│   └── DecodeError (ValueError)      a received body is not a task message
├── BrokerError
│   ├── BrokerUnavailable             unreachable, locked or gone; trying again may help
│   ├── StorageError                  full or read-only disk: trying again does not help
│   └── QueueFull                     a bounded queue had no room in time
├── StateError                        a state store could not do its work
│   └── StateUnavailable              unreachable or gone; trying again may help
├── ResultError                       a task has no result to give
│   ├── TaskFailed                    it failed, or did not run
│   └── HasNotAsyncResult (TimeoutError)  it has not ended in time
├── ConsumerError                     a consumer was used in the wrong state
├── TaskError                         a task was ended from outside
│   ├── TaskTimeout (TimeoutError)    it ran for longer than it may
│   └── TaskKilled                    somebody killed it
└── TaskSignal                        raised by a task to decide its own fate
    ├── ExceptionForRetry             run me again now
    ├── ExceptionForRequeue           put my message back on the queue
    └── ExceptionForPushToDlxqueue    put my message on the dead-letter queue

Further ones stand where they are raised, below one of these: `Unroutable` (BrokerUnavailable) in `fsdf_brokers`;
`BrokenModule` (ConfigurationError), `DeploymentError` and `HostKeyRefused` in `fsdf_cli`; `TooManyAttempts` in
`fsdf_web`. The pools can be used without fsdf and have errors of their own, in `fsdf_pools.errors` and
`fsdf_pools.process_pool.errors`.
"""


class FsdfError(Exception):
    """Root of all errors of fsdf."""


class ConfigurationError(FsdfError, ValueError):
    """A parameter, a setting or a name is wrong."""


class UnknownName(ConfigurationError):
    """Nothing is registered under the name."""


class MissingDependency(ConfigurationError):
    """An adapter needs a library that is not installed."""


class UnsupportedFeature(ConfigurationError):
    """The broker cannot do what was asked, or this version of fsdf does not have it yet."""


class MessageError(FsdfError):
    """A message cannot be written or read."""


class EncodeError(MessageError, TypeError):
    """A task's arguments are not JSON data."""


class ResultNotJson(EncodeError):
    """A task whose result somebody waits for returned what is not JSON data; it counts as failed."""


class DecodeError(MessageError, ValueError):
    """A received body is not a task message."""


class BrokerError(FsdfError):
    """A broker could not do its work."""


class BrokerUnavailable(BrokerError):
    """The broker is unreachable, locked or gone; trying again may help."""


class StorageError(BrokerError):
    """The broker's storage is full or not writable; trying again does not help by itself."""


class QueueFull(BrokerError):
    """A bounded queue had no room within the time allowed."""


class StateError(FsdfError):
    """A state store could not do its work."""


class StateUnavailable(StateError):
    """The state store is unreachable or gone; trying again may help."""


class ResultError(FsdfError):
    """A task has no result to give."""


class TaskFailed(ResultError):
    """A task failed, or did not run: filtered, expired, killed, dead-lettered.

    Attributes:
        task_id: the task's.
        state: "failed", "dropped" or "dead-lettered".
        reason: why it was dropped or dead-lettered; "" for a plain failure.
        remote_type: name of the type of what it raised; "" if it raised nothing.
        text: that error's text.
        traceback: its traceback in the worker, as text; "" if there is none.
    """

    def __init__(
        self,
        message: str,
        *,
        task_id: str = "",
        state: str = "failed",
        reason: str = "",
        remote_type: str = "",
        text: str = "",
        traceback: str = "",
    ) -> None:
        super().__init__(message)
        self.task_id = task_id
        self.state = state
        self.reason = reason
        self.remote_type = remote_type
        self.text = text
        self.traceback = traceback


class HasNotAsyncResult(ResultError, TimeoutError):
    """A task has not ended in the time that its result was waited for."""


class ConsumerError(FsdfError):
    """A consumer was used in a state that does not allow it."""


class TaskError(FsdfError):
    """A task was ended from outside; it counts as failed."""


class TaskTimeout(TaskError, TimeoutError):
    """A task ran for longer than it may."""


class TaskKilled(TaskError):
    """Somebody killed the task."""


class TaskSignal(FsdfError):
    """Raised by a task to decide what becomes of its message."""


class ExceptionForRetry(TaskSignal):
    """Run the task again, as any other error would, without calling it unexpected."""


class ExceptionForRequeue(TaskSignal):
    """Put the message back on its queue; does not count as an attempt."""


class ExceptionForPushToDlxqueue(TaskSignal):
    """Put the message on the dead-letter queue."""

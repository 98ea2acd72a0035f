"""The decorated function."""

from __future__ import annotations

import inspect
from functools import update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from fsdf import boosters_manager
from fsdf.binder import Binder
from fsdf.bound import BoundBooster
from fsdf.callee import callee, wrapped
from fsdf.consumer import BoosterConsumer
from fsdf.publisher import BoosterPublisher
from fsdf.queue_commands import QueueCommands
from fsdf.receiver import CLASS, PLAIN, Receiver
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

    from fsdf.aio_result import AioAsyncResult
    from fsdf.params import BoosterParams
    from fsdf.publisher import Call
    from fsdf.result import AsyncResult
    from fsdf.supervision import Supervisor
    from fsdf.task_options import TaskOptions

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
T = TypeVar("T")


class Booster(QueueCommands, Generic[P, R]):
    """A function whose calls can be published and consumed. Calling it runs the plain function.

    Built by `boost` and its like; `@Booster("q", …)` and `@Booster(BoosterParams(…))` do the same. Pickled by
    reference, as functions are.

    Args:
        params: the task's parameters.
        function: the function; a static or class method may be given with its decorator.

    Attributes:
        boost_params: the task's parameters.
        queue_name: the queue's name.
        consuming_function: the plain function.
        publisher: the producer's side.
        consumer: the consumer's side.

    Raises:
        ConfigurationError: it is no function, or a generator function.
    """

    __wrapped__: Callable[P, R]
    __name__: str
    __qualname__: str

    # Hidden from type checkers, which know the constructor below: `boost` is the typed way.
    if not TYPE_CHECKING:

        def __new__(cls, params: BoosterParams | str, *function: Callable[P, R], **given: Any) -> Any:
            """Return the decorator when no function is given."""
            if not function and "function" not in given:
                from fsdf.decorator import boost  # noqa: PLC0415 - it needs this module

                return boost(params, **given)
            return super().__new__(cls)

    def __init__(self, params: BoosterParams, function: Callable[P, R]) -> None:
        function, kind = _plain(function)
        kind = params.consuming_function_kind or kind
        update_wrapper(self, function)
        self.__wrapped__ = function
        self._kind = kind
        self._receiver = Receiver(function, kind)
        # The signature of a function that takes batches says nothing about one call.
        check = params.should_check_publish_func_params and not params.micro_batch_size
        binder = Binder(function, check=check, names=_names_by_hand(params))
        self.boost_params = params
        self.queue_name = params.queue_name
        self.consuming_function = function
        self.publisher: BoosterPublisher[P, R] = BoosterPublisher(params, binder, self._receiver)
        self.consumer: BoosterConsumer[P, R] = BoosterConsumer(
            params,
            self.publisher,
            function,
            lambda: self._callee(binder),
        )
        # One call less on the way that is used most.
        self.__dict__.update(push=self.publisher.push, delay=self.publisher.push)
        boosters_manager.BoosterRegistry(params.booster_registry_name).regist_booster(self)
        if params.is_auto_start_consuming_message:
            self.consume()

    def _callee(self, binder: Binder) -> Callable[..., Any]:
        decorator = self.boost_params.consuming_function_decorator
        if self.boost_params.micro_batch_size:
            # It takes the list of calls, whatever its one parameter is called.
            return wrapped(self.consuming_function, decorator)
        return callee(self.consuming_function, binder, self._receiver, decorator)

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the plain function here and now."""
        return self.consuming_function(*args, **kwargs)

    def push(self, /, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]:
        """Publish one call, written as the call itself.

        Raises:
            TypeError: the function cannot be called like this.
            EncodeError: an argument is not JSON data; names it.
            BrokerError: the broker did not accept it.
        """
        return self.publisher.push(*args, **kwargs)

    delay = push

    def publish(
        self,
        msg: dict[str, Any] | str | bytes,
        task_id: str | int | None = None,
        task_options: TaskOptions | None = None,
        priority_control_config: TaskOptions | None = None,
    ) -> AsyncResult[R]:
        """Publish one call, given as a dict of its arguments or as JSON: see `BoosterPublisher.publish`."""
        return self.publisher.publish(msg, task_id, task_options, priority_control_config)

    pub = apply_async = publish

    async def aio_push(self, /, *args: P.args, **kwargs: P.kwargs) -> AioAsyncResult[R]:
        """`push` in a thread, so that the event loop goes on meanwhile."""
        import asyncio  # noqa: PLC0415 - slow to import

        from fsdf.aio_result import AioAsyncResult  # noqa: PLC0415 - as above

        return AioAsyncResult(await asyncio.to_thread(self.publisher.push, *args, **kwargs))

    async def aio_publish(
        self,
        msg: dict[str, Any] | str | bytes,
        task_id: str | int | None = None,
        task_options: TaskOptions | None = None,
        priority_control_config: TaskOptions | None = None,
    ) -> AioAsyncResult[R]:
        """`publish` in a thread, so that the event loop goes on meanwhile."""
        import asyncio  # noqa: PLC0415 - as above

        from fsdf.aio_result import AioAsyncResult  # noqa: PLC0415 - as above

        publish = self.publisher.publish
        return AioAsyncResult(await asyncio.to_thread(publish, msg, task_id, task_options, priority_control_config))

    def push_many(self, calls: Iterable[Call]) -> list[AsyncResult[R]]:
        """Publish many calls in batches; each is a tuple of positional arguments or a dict of named ones."""
        return self.publisher.push_many(calls)

    def publish_many(
        self, msgs: Iterable[dict[str, Any] | str | bytes], task_options: TaskOptions | None = None
    ) -> list[AsyncResult[R]]:
        """Publish many messages in batches, each as `publish` takes it; the options hold for all."""
        return self.publisher.publish_many(msgs, task_options)

    def multi_process_pub_params_list(
        self,
        params_list: Iterable[dict[str, Any]],
        process_num: int = 16,  # noqa: ARG002 - the known signature
    ) -> list[AsyncResult[R]]:
        """`publish_many` under its older name; one process publishes, in batches, whatever `process_num` says."""
        return self.publish_many(params_list)

    def consume(self) -> None:
        """Begin to consume, in threads of its own; return at once.

        See `BoosterConsumer.start_consuming_message`.
        """
        self.consumer.start_consuming_message()

    start_consuming_message = start = consume

    def stop(self, timeout: float | None = None) -> bool:
        """Stop consuming, in this process and in its worker processes: see `BoosterConsumer.stop`.

        `consume()` and `multi_process_consume()` work again afterwards.
        """
        from fsdf.supervision.start import supervisors_of  # noqa: PLC0415 - it is seldom needed

        ended = [supervisor.stop(timeout) for supervisor in supervisors_of(self.queue_name)]
        return self.consumer.stop(timeout) and all(ended)

    def multi_process_consume(
        self, process_num: int = 1, max_process_num: int | None = None, **options: Any
    ) -> Supervisor | None:
        """Consume in worker processes of this one, whatever the `concurrent_mode` in each; return at once.

        Args:
            process_num: how many; the fewest, if `max_process_num` is given.
            max_process_num: most; the number follows the queue's length.
            **options: fields of `fsdf.supervision.SupervisorOptions`.

        Returns:
            What scales, reloads and stops them; None in a worker process that imports its modules.

        Raises:
            ConfigurationError: as `fsdf.supervision.supervise`.
        """
        from fsdf.supervision import supervise  # noqa: PLC0415 - as above

        return supervise([self], process_num, max_process_num, **options)

    mp_consume = multi_process_start = multi_process_consume

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(
        self: Booster[Concatenate[T, Q], R], instance: T, owner: type[T] | None = None
    ) -> BoundBooster[Q, R]: ...

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind to an object, as functions do, or to the class if it decorates a class method."""
        if self._kind == CLASS:
            return BoundBooster(self, owner or type(instance))
        if instance is None or self._kind == PLAIN:
            return self
        if isinstance(instance, type):
            # `@classmethod` above `@boost`: Python 3.10 to 3.12 ask here, 3.13 builds this by itself.
            return MethodType(self, instance)
        return BoundBooster(self, instance)

    def __set_name__(self, owner: type, name: str) -> None:
        self._receiver.owner = owner

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<Booster {self.__module__}.{self.__qualname__} on queue {self.queue_name!r}>"


def _plain(given: Any) -> tuple[Callable[..., Any], str | None]:
    """Return the function itself, and what its decorator says it is."""
    kind = None
    if isinstance(given, classmethod | staticmethod):
        kind = CLASS if isinstance(given, classmethod) else PLAIN
        given = given.__func__
    if isinstance(given, Booster):
        given = given.consuming_function
    if isinstance(given, MethodType):
        kind = PLAIN  # it has its object
    if not callable(given):
        raise ConfigurationError(f"a task is a function, this is {given!r}")
    if inspect.isgeneratorfunction(given) or inspect.isasyncgenfunction(given):
        raise ConfigurationError(
            f"{given.__qualname__} is a generator function, so calling it would run nothing: use return instead of "
            "yield, or decorate a function that goes through it"
        )
    return given, kind


def _names_by_hand(params: BoosterParams) -> tuple[list[str], list[str]] | None:
    given = params.manual_func_input_params
    if not given.get("is_manual_func_input_params"):
        return None
    return list(given.get("must_arg_name_list", ())), list(given.get("optional_arg_name_list", ()))

"""Traces by OpenTelemetry: a task's run belongs to the trace in which it was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.batch import members_of
from fsdf_core.control import Control
from fsdf_core.errors import MissingDependency

try:
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TracerProvider
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ModuleNotFoundError as error:
    raise MissingDependency("traces need the library 'opentelemetry-api': pip install fsdf[opentelemetry]") from error

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message

CONTEXT = "otel_context"
"""Key of `extra`: the publisher's span, as https://www.w3.org/TR/trace-context/ writes it."""

_propagator = TraceContextTextMapPropagator()


class Tracing(Control):
    """Opens a span "send <queue>" for each message published, and within it "process <queue>" for each run.

    The publisher's span is a child of the caller's; it travels in the message's `extra["otel_context"]` as a W3C
    `traceparent`. Each run is a child of it, whichever process it is in, and current while the function runs. A run of
    a batch has links to the spans of its calls instead. An error that the function raises is recorded in the span.
    Attributes follow https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/.

    Args:
        provider: default: the one that the application has set; without any, spans cost little and go nowhere.

    Raises:
        MissingDependency: opentelemetry-api is not installed (when this module is imported).

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from fsdf_core.message import Message
        >>> message = Message({}, {"task_id": "t"}, None, "mails")
        >>> Tracing(TracerProvider()).on_publish(message)
        >>> sorted(message.extra["otel_context"])
        ['traceparent']
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("fsdf", tracer_provider=provider)
        self._worker = ""
        self._queue = ""

    def start(self, host: Host) -> None:
        """Learn the names."""
        self._worker, self._queue = host.consumer_id, host.queue.name

    def on_publish(self, message: Message) -> None:
        """Open and end the publisher's span, and tell the message its name."""
        attributes = _attributes("send", message.queue_name, message)
        with self._tracer.start_as_current_span(
            f"send {message.queue_name}", _parent(message), SpanKind.PRODUCER, attributes
        ):
            carrier: dict[str, str] = {}
            _propagator.inject(carrier)
            if carrier:
                message.extra[CONTEXT] = carrier

    def around(self, call: Call) -> Call:
        """Run within a span."""

        def traced(message: Message) -> Any:
            with self._span(message):
                return call(message)

        return traced

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """`around` for `async def` functions."""

        async def traced(message: Message) -> Any:
            with self._span(message):
                return await call(message)

        return traced

    def _span(self, message: Message) -> AbstractContextManager[Any]:
        members = members_of(message)
        attributes = _attributes("process", self._queue, message)
        attributes["messaging.client.id"] = self._worker
        attributes["fsdf.attempt"] = message.attempt
        links: list[Link] = []
        parent: Context | None = Context()
        if len(members) == 1:
            parent = _parent(members[0]) or parent
        else:
            attributes["messaging.batch.message_count"] = len(members)
            contexts = [_parent(member) for member in members]
            links = [Link(trace.get_current_span(context).get_span_context()) for context in contexts if context]
        return self._tracer.start_as_current_span(
            f"process {self._queue}", parent, SpanKind.CONSUMER, attributes, links
        )


def _parent(message: Message) -> Context | None:
    """Return the context that a message carries; None if it carries none that can be read."""
    carrier = message.extra.get(CONTEXT)
    if not isinstance(carrier, dict):
        return None
    context = _propagator.extract({str(key): str(value) for key, value in carrier.items()}, Context())
    return context if trace.get_current_span(context).get_span_context().is_valid else None


def _attributes(operation: str, queue: str, message: Message) -> dict[str, Any]:
    return {
        "messaging.system": "fsdf",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": queue,
        "messaging.message.id": str(message.extra.get("task_id", "")),
    }

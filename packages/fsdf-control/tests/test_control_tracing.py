"""A task's run belongs to the trace in which it was published."""

import asyncio
import doctest

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from fsdf_control import tracing
from fsdf_control.retry import Retry
from fsdf_control.tracing import CONTEXT, Tracing
from fsdf_core.batch import Batch
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.testing.fitting import fitting
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor

LONG = 60


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, AsyncPool])
def run(request, provider):
    """Return a function that publishes and consumes; a new control on each side, as in two processes."""
    queue = MemoryBroker().queue("q", serialize=True)
    consumers = []
    with request.param(max_workers=4) as pool:

        def start(task, *messages, **options):
            sent = Publisher(queue, controls=[Tracing(provider)]).publish_many(messages)
            rules = [Tracing(provider), Retry(1)]
            consumer = Consumer(fitting(task, pool), queue=queue, pool=pool, controls=rules, **options)
            consumer.start()
            consumers.append(consumer)
            assert wait_until(lambda: consumer.finished == len(messages), LONG)
            return sent

        yield start
        for consumer in consumers:
            assert consumer.stop(LONG)


def spans(exporter, name):
    return [span for span in exporter.get_finished_spans() if span.name == name]


def test_publisher_run_and_what_the_run_does_are_one_trace(run, exporter, provider):
    tracer = provider.get_tracer("app")

    def task(x):
        with tracer.start_as_current_span("inside"):
            return x

    with tracer.start_as_current_span("caller"):
        (sent,) = run(task, {"x": 1})
    (caller,), (send,), (process,), (inside,) = (
        spans(exporter, n) for n in ("caller", "send q", "process q", "inside")
    )
    assert (send.kind, process.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    parents = [span.parent.span_id for span in (send, process, inside)]
    assert parents == [span.context.span_id for span in (caller, send, process)]
    assert len({span.context.trace_id for span in (caller, send, process, inside)}) == 1
    assert process.attributes["messaging.message.id"] == sent.task_id
    assert process.attributes["messaging.destination.name"] == "q"
    trace_id, span_id = f"{send.context.trace_id:032x}", f"{send.context.span_id:016x}"
    assert sent.extra[CONTEXT]["traceparent"].startswith(f"00-{trace_id}-{span_id}-0")


def test_each_attempt_has_its_span_and_its_error(run, exporter):
    def task(x):
        raise ValueError("no")

    run(task, {"x": 1})
    first, second = spans(exporter, "process q")
    assert [span.attributes["fsdf.attempt"] for span in (first, second)] == [1, 2]
    assert first.status.status_code == StatusCode.ERROR
    assert first.events[0].attributes["exception.message"] == "no"
    sent = spans(exporter, "send q")[0].context.span_id
    assert first.parent.span_id == second.parent.span_id == sent


def test_a_batch_has_links_to_its_calls(run, exporter):
    run(lambda calls: None, *({"x": x} for x in range(3)), batch=Batch(3, LONG))
    (process,) = spans(exporter, "process q")
    sent = {span.context.span_id for span in spans(exporter, "send q")}
    assert {link.context.span_id for link in process.links} == sent
    assert (len(sent), process.parent, process.attributes["messaging.batch.message_count"]) == (3, None, 3)


def test_runs_at_once_do_not_mix(provider, exporter):
    tracer = provider.get_tracer("app")

    async def task(message):
        await asyncio.sleep(0)
        with tracer.start_as_current_span(f"inside {message.task_id}"):
            await asyncio.sleep(0)

    async def all_at_once():
        call = Tracing(provider).around_async(task)
        await asyncio.gather(*(call(Message({}, {"task_id": str(n)})) for n in range(5)))

    asyncio.run(all_at_once())
    outside = {span.context.span_id: span for span in exporter.get_finished_spans() if span.parent is None}
    for n in range(5):
        (inside,) = spans(exporter, f"inside {n}")
        assert outside[inside.parent.span_id].attributes["messaging.message.id"] == str(n)


@pytest.mark.parametrize("carrier", [None, "x", {}, {"traceparent": "nonsense"}, {"traceparent": 5}, {"a": []}])
def test_what_foreign_producers_send_is_no_parent(run, exporter, carrier):
    control = Tracing()
    assert control.around(lambda message: message.arguments["x"])(Message({"x": 3}, {CONTEXT: carrier})) == 3
    run(lambda x: x, ({"x": 1}, {CONTEXT: carrier}))
    (process,) = spans(exporter, "process q")
    assert process.parent.span_id == spans(exporter, "send q")[0].context.span_id


def test_a_context_given_by_hand_is_the_parent(provider, exporter):
    given = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    message = Message({}, {"task_id": "t", CONTEXT: given}, None, "q")
    Tracing(provider).on_publish(message)
    (send,) = exporter.get_finished_spans()
    assert f"{send.parent.span_id:016x}" == "b7ad6b7169203331"
    assert message.extra[CONTEXT]["traceparent"].split("-")[1] == "0af7651916cd43dd8448eb211c80319c"


def test_the_example():
    assert doctest.testmod(tracing).failed == 0

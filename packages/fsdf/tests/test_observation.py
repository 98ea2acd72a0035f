"""Settings turn metrics and traces on, for all tasks of the process."""

import urllib.request

import pytest
from opentelemetry import trace

from fsdf import observation, patch_frame_config
from fsdf_core.waiting import wait_until


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch):
    monkeypatch.setattr(observation, "_servers", [])
    yield
    for server in observation._servers:
        server.close()


def test_nothing_is_measured_unless_asked_for():
    assert observation.observers() == []


def test_a_port_turns_metrics_on(decorate):
    patch_frame_config(metrics_port=0)
    first, second = decorate(lambda x: x), decorate(lambda x: x)
    first.push(1)
    second.push(1)
    first.consume()
    second.consume()
    (server,) = observation._servers

    def page():
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
            return answer.read().decode()

    for task in (first, second):
        line = f'fsdf_tasks_total{{queue="{task.queue_name}",status="success"}} 1.0'
        assert wait_until(lambda line=line: line in page(), 60)
        assert f'fsdf_published_total{{queue="{task.queue_name}"}} 1.0' in page()


def test_tracing_is_a_setting(decorate):
    patch_frame_config(tracing=True)
    seen = []
    task = decorate(lambda x: seen.append(trace.get_current_span()))
    task.push(1)
    task.consume()
    assert wait_until(lambda: len(seen) == 1, 60)
    assert not seen[0].get_span_context().is_valid  # the application has set no provider

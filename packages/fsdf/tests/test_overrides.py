"""Settings that go before what a function says, and log lines without logging."""

import logging

import pytest

from fsdf import BoosterParams, assembly
from fsdf.console_log import write_log_lines
from fsdf_control import RateLimit
from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import patch_frame_config


def test_no_workers_are_refused():
    with pytest.raises(ConfigurationError, match="concurrent_num"):
        patch_frame_config(concurrent_num=0)


def test_concurrency_of_every_consumer(decorate):
    patch_frame_config(concurrent_num=3)
    task = decorate(lambda: None, concurrent_num=7)
    task.consume()
    assert task.consumer._consumer.pool.max_workers == 3
    assert assembly.worker_count(BoosterParams(queue_name="q", concurrent_mode="single_thread")) == 1


@pytest.mark.parametrize(("override", "rates"), [(5.0, [5.0]), (0, []), (None, [2.0])])
def test_rate_of_every_consumer(decorate, override, rates):
    patch_frame_config(qps=override)
    task = decorate(lambda: None, qps=2)
    task.consume()
    controls = task.consumer._consumer.controls
    assert [control.qps for control in controls if isinstance(control, RateLimit)] == rates


def test_lines_are_written_once_and_only_without_logging(monkeypatch):
    logger = logging.getLogger("fsdf")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    write_log_lines()
    write_log_lines()
    assert len(logger.handlers) == 1
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])
    write_log_lines()
    assert logger.handlers == []

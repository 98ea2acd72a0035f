"""What holds for all rules, and the smallest of them."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import fsdf_control
from fsdf_control.requeue import Requeue
from fsdf_core.control import Control
from fsdf_core.errors import ExceptionForRequeue
from fsdf_core.message import Message
from fsdf_core.verdict import Requeue as PutBack

MODULES = [name for _, name, _ in pkgutil.iter_modules(fsdf_control.__path__, "fsdf_control.")]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_tell_the_truth(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert not result.failed
    rules = [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == name]
    assert result.attempted or not any(issubclass(each, Control) for each in rules)


def test_requeue_answers_its_signal_only():
    assert Requeue(2).on_error(Message({}, {}), ExceptionForRequeue(), 1) == PutBack(2)
    assert Requeue().on_error(Message({}, {}), ValueError(), 1) is None


def test_a_requeued_task_that_began_in_time_cannot_come_too_late():
    message = Message({}, {"misfire_grace_time": 5, "eta": "2026-03-31T17:40:00+00:00"})
    answer = Requeue(2).on_error(message, ExceptionForRequeue(), 1)
    assert answer == PutBack(2, {"countdown": None, "eta": None, "misfire_grace_time": None})

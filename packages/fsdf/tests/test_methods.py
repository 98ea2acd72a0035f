"""Static, class and instance methods as tasks."""

from __future__ import annotations

import queue
import sys

import pytest

from fsdf import BoosterParams, boost
from fsdf_core.errors import DecodeError

ran: queue.SimpleQueue = queue.SimpleQueue()


class Base:
    def __init__(self, x):
        self.obj_init_params = {"x": x}
        self.x = x

    @BoosterParams(queue_name="m-instance", broker_kind="MEMORY_QUEUE")
    def method(self, y):
        ran.put((type(self), self.x, y))
        return self.x + y

    @classmethod
    @boost("m-class", broker_kind="MEMORY_QUEUE")
    def cls_method(cls, y):
        ran.put((cls, y))
        return y

    @boost("m-class-below", broker_kind="MEMORY_QUEUE")
    @classmethod
    def cls_below(cls, y):
        ran.put((cls, y))
        return y

    @staticmethod
    @boost("m-static", broker_kind="MEMORY_QUEUE")
    def static(y):
        ran.put(y)
        return y

    @boost("m-static-below", broker_kind="MEMORY_QUEUE")
    @staticmethod
    def static_below(y):
        ran.put(y)
        return y

    class Inner:
        obj_init_params = {}

        @boost("m-inner", broker_kind="MEMORY_QUEUE")
        def method(self):
            ran.put("inner")


class Child(Base):
    pass


class Bare:
    @boost("m-bare", broker_kind="MEMORY_QUEUE")
    def method(self, y): ...


def take(count):
    return [ran.get(timeout=10) for _ in range(count)]


def test_instance_methods():
    assert Base(1).method(2) == Base.method(Base(1), 2) == 3
    take(2)
    Base.method.push(Base(1), 2)
    Base(3).method.push(4)
    Base(3).method.push(y=5)
    Child(6).method.push(7)
    Base.method.publish({"self": Base(8), "y": 9})
    assert Base(1).method.get_message_count() == 5
    Base.method.consume()
    expected = [(Base, 1, 2), (Base, 3, 4), (Base, 3, 5), (Base, 8, 9), (Child, 6, 7)]
    assert sorted(take(5), key=lambda one: one[1:]) == sorted(expected, key=lambda one: one[1:])


def test_class_methods():
    assert Base.cls_method(2) == Base(1).cls_method(2) == 2
    assert take(2) == [(Base, 2)] * 2
    Base.cls_method.push(Base, y=2)
    Base.cls_method.push(Child, 3)
    Base.cls_method.consume()
    assert sorted(take(2), key=str) == sorted([(Base, 2), (Child, 3)], key=str)
    with pytest.raises(TypeError, match="misses"):
        Base.cls_method.push(y=2)


def test_class_methods_decorated_above_know_their_class():
    assert Base.cls_below(2) == Child(1).cls_below(2) == 2
    assert take(2) == [(Base, 2), (Child, 2)]
    Base.cls_below.push(2)
    Child.cls_below.push(y=3)
    Base.cls_below.push(Child, 4)
    Base.cls_below.consume()
    assert sorted(take(3), key=str) == sorted([(Base, 2), (Child, 3), (Child, 4)], key=str)


@pytest.mark.parametrize("name", ["static", "static_below"])
def test_static_methods(name):
    task = getattr(Base, name)
    assert task(1) == getattr(Base(1), name)(1) == 1
    take(2)
    task.push(2)
    getattr(Base(5), name).push(y=3)
    task.consume()
    assert sorted(take(2)) == [2, 3]


def test_nested_classes():
    Base.Inner().method.push()
    Base.Inner.method.consume()
    assert take(1) == ["inner"]


def test_classes_inside_functions(decorate):
    class Local:
        obj_init_params = {}

        @boost("m-local", broker_kind="MEMORY_QUEUE")
        def method(self, y):
            ran.put(y)

    Local().method.push(5)
    Local.method.consume()
    assert take(1) == [5]


def test_the_wire_form(bodies):
    Base.method.push(Child(1), 2)
    (body,) = bodies(Base.method)
    assert body["y"] == 2
    assert body["self"] == {
        "first_param_name": "self",
        "cls_name": "Child",
        "cls_file": sys.modules[__name__].__file__,
        "cls_module": __name__,
        "obj_init_params": {"x": 1},
    }
    Base.cls_method.push(Base, 2)
    assert "obj_init_params" not in bodies(Base.cls_method)[0]["cls"]


def test_wrong_first_arguments_are_refused():
    with pytest.raises(TypeError, match=r"must be an object of Base, not 5.*Base.method.push\(Base\(…\), …\)"):
        Base.method.push(5, 2)
    with pytest.raises(TypeError, match="must be the class Base, not <class 'int'>"):
        Base.cls_method.push(int, 2)
    with pytest.raises(TypeError, match="set the dict self.obj_init_params in __init__"):
        Bare().method.push(1)


@pytest.mark.parametrize(
    "packed",
    [
        None,
        5,
        {},
        {"cls_name": "Popen", "cls_module": "subprocess", "obj_init_params": {"args": ["id"]}},
        {"cls_name": "Base"},
        {"cls_name": "Base", "obj_init_params": [1]},
    ],
)
def test_the_wire_cannot_name_another_class(packed):
    with pytest.raises(DecodeError):
        Base.method._receiver.unpack(packed)


def test_another_module_name_for_the_same_class_is_fine():
    wire = {"cls_name": "Base", "cls_module": "__main__", "obj_init_params": {"x": 5}}
    assert Base.method._receiver.unpack(wire).x == 5
    wire = {"cls_name": "Child", "cls_module": "__main__", "obj_init_params": {"x": 5}}
    assert type(Base.method._receiver.unpack(wire)) is Child


class Service:
    def __init__(self, base):
        self.base = base

    def handle(self, x):
        ran.put((self, x))

    @classmethod
    def made(cls, x):
        ran.put((cls, x))


def test_a_method_of_an_object_keeps_its_object(decorate):
    service = Service(1)
    for method, first in ((service.handle, service), (Service.made, Service)):
        task = decorate(method)
        task.push(2)
        task.consume()
        assert ran.get(timeout=30) == (first, 2)
        assert task.stop()

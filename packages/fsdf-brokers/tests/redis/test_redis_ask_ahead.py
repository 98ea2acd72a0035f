"""Claims that begin before their messages are wanted."""

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_core.broker import QueueSize
from fsdf_core.errors import BrokerUnavailable
from fsdf_core.waiting import wait_until


@pytest.fixture
def subscription(queue, subscribe):
    """Has 30 messages before it, holds the first ten, and has asked for the next ten."""
    send(queue, *numbered(30))
    subscription = subscribe()
    assert bodies(subscription.receive(10, 1)) == numbered(30)[:10]
    assert subscription.ask_ahead(10) == 10
    return subscription


def test_they_come_next(queue, subscription):
    assert bodies(subscription.receive(20, 1)) == numbered(30)[10:20]
    assert bodies(subscription.receive(20, 1)) == numbered(30)[20:]
    assert queue.size() == QueueSize(0, 0, 30)


def test_each_is_acknowledged_alone(queue, subscription):
    second = subscription.receive(10, 1)
    subscription.ack(second[3:])
    assert queue.size() == QueueSize(10, 0, 13)
    subscription.release(second[:3])
    assert bodies(subscription.receive(3, 1)) == numbered(30)[10:13]


def test_an_empty_queue_is_waited_at_by_the_next_receive(queue, subscription):
    subscription.receive(10, 1)
    subscription.receive(10, 1)
    assert subscription.ask_ahead(10) == 10  # the last ten were as many as asked for
    send(queue, b"late")
    assert bodies(subscription.receive(10, 5)) == [b"late"]
    assert subscription.receive(10, 0.1) == []


def test_nothing_is_asked_for_where_nothing_waits(queue, subscribe):
    send(queue, *numbered(3))
    subscription = subscribe()
    subscription.receive(10, 1)
    assert subscription.ask_ahead(10) == 0


def test_the_end_gives_back_what_was_not_received(queue, subscription, subscribe):
    subscription.close()
    assert queue.size() == QueueSize(30)
    assert bodies(subscribe("next").receive(30, 1)) == numbered(30)


@pytest.mark.parametrize("cut", [True, False])
def test_a_new_entry_gives_back_what_was_not_received(queue, subscription, cut):
    assert wait_until(lambda: queue.size().unacked == 20, timeout=10, interval=0.01)
    if cut:
        subscription._line.connection.disconnect()  # the answer is lost with it
        with pytest.raises(BrokerUnavailable):
            subscription.receive(10, 1)
    subscription.reconnect()
    assert queue.size() == QueueSize(20, 0, 10)
    assert bodies(subscription.receive(30, 1)) == numbered(30)[10:]
    assert queue.size() == QueueSize(0, 0, 30)


def test_a_connection_cut_before_asking_loses_nothing(queue, client, subscription):
    subscription.receive(10, 1)
    for one in client.client_list():
        if one["name"] == "fsdf:me":
            client.client_kill_filter(_id=one["id"])
    subscription.ask_ahead(10)
    with pytest.raises(BrokerUnavailable):
        subscription.receive(10, 1)
    subscription.reconnect()
    assert bodies(subscription.receive(10, 1)) == numbered(30)[20:]
    assert queue.size() == QueueSize(0, 0, 30)


def test_a_server_that_forgot_the_script_is_asked_again(client, queue, subscribe):
    send(queue, *numbered(30))
    subscription = subscribe()
    subscription.receive(10, 1)
    client.script_flush()
    assert subscription.ask_ahead(10) == 10
    assert bodies(subscription.receive(10, 1)) == numbered(30)[10:20]
    assert bodies(subscription.receive(10, 1)) == numbered(30)[20:]

"""REDIS_BRPOP_LPUSH on a real server: both sides share the list with others."""

import redis

from fsdf_brokers.redis.brpop_lpush import RedisBrpopLpushBroker
from fsdf_core.broker import OutgoingMessage
from fsdf_core.waiting import wait_until


def test_the_list_is_shared_both_ways(redis_url):
    broker = RedisBrpopLpushBroker(redis_url)
    queue = broker.queue("sums")
    other = redis.Redis.from_url(redis_url)
    queue.send([OutgoingMessage(b'{"n":%d}' % number) for number in range(3)])
    assert other.rpoplpush("sums", "unack_sums_other") == b'{"n":0}'
    other.lpush("sums", '{"n":3}')
    subscription = queue.subscribe("me", 10)
    taken = subscription.receive(10, 5)
    assert [delivery.body for delivery in taken] == [b'{"n":%d}' % number for number in (1, 2, 3)]
    subscription.release(taken)
    assert other.lrange("sums", 0, -1) == [b'{"n":3}', b'{"n":2}', b'{"n":1}']
    subscription.close()
    other.close()
    broker.close()


def test_what_woke_a_consumer_comes_before_what_was_pushed_after(redis_url):
    broker = RedisBrpopLpushBroker(redis_url)
    queue = broker.queue("sums")
    other = redis.Redis.from_url(redis_url)
    subscription = queue.subscribe("me", 10)
    inbox = subscription._inbox
    other.lpush("sums", "1", "2", "3")
    other.lmove("sums", inbox, "RIGHT", "RIGHT")  # as its wait does
    assert wait_until(lambda: other.llen(inbox) == 1, 5)
    assert [delivery.body for delivery in subscription.receive(10, 5)] == [b"1", b"2", b"3"]
    subscription.close()
    other.close()
    broker.close()

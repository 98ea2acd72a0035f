"""Runs in funboost's environment: `funboost_peer.py KIND QUEUE work HISTORY` or `... push CALLS` (JSON)."""

import json
import logging
import sys
import threading

from funboost import BoosterParams, BrokerEnum, TaskOptions, boost, fct

_writing = threading.Lock()


def tell(event, x, y):
    message = fct.full_msg
    line = json.dumps({"event": event, "x": x, "y": y, "extra": message["extra"]}, default=str)
    with _writing, open(sys.argv[4], "a") as history:  # noqa: PTH123
        history.write(line + "\n")


def task(x, y=0):
    tell("began", x, y)
    if y == "fails":
        raise ValueError(y)
    if y == "hangs":
        try:
            for _ in range(3000):
                threading.Event().wait(0.01)
        except BaseException:
            tell("was stopped", x, y)
            raise
    tell("ended", x, y)


def push(booster, calls):
    for how, arguments, options in calls:
        if how == "positional":
            booster.push(*arguments)
        elif how == "keywords":
            booster.push(**arguments)
        else:
            booster.publish(arguments, task_options=TaskOptions(**options))


if __name__ == "__main__":
    kind, queue, role, what = sys.argv[1:]
    booster = boost(
        BoosterParams(
            queue_name=queue,
            broker_kind=getattr(BrokerEnum, kind),
            concurrent_num=5,
            max_retry_times=0,
            log_level=logging.CRITICAL,
            create_logger_file=False,
            # A killed member holds up the rest of its Kafka group for 45 s.
            broker_exclusive_config={"group_id": queue} if "KAFKA" in kind else {},
            is_send_consumer_heartbeat_to_redis="REDIS" in kind,
        )
    )(task)
    if role == "work":
        booster.consume()
    else:
        push(booster, json.loads(what))
        sys.stdout.flush()

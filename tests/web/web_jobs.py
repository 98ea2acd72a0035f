"""A worker of two queues, for the web UI to look at."""

import logging

from fsdf import boost

KEPT = {"is_save_status": True, "is_save_result": True}


@boost("sums", broker_kind="SQLITE_QUEUE", is_using_rpc_mode=True, function_result_status_persistance_conf=KEPT)
def add(x: int, y: int = 2) -> int:
    return x + y


@boost(
    "mails",
    broker_kind="SQLITE_QUEUE",
    max_retry_times=0,
    is_push_to_dlx_queue_when_retry_max_times=True,
    function_result_status_persistance_conf=KEPT,
)
def mail(to: str, **rest: str) -> None:
    raise ValueError(f"no <b>such</b> user {to}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    add.consume()
    mail.consume()
    print("ready", flush=True)

"""Log lines that nb_log's handlers send to servers; each program is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PROGRAM = """
import logging, threading
from fsdf import boost
done = threading.Event()
@boost("sunk", broker_kind="MEMORY_QUEUE", log_handler="nb_log", create_logger_file=False, max_retry_times=0)
def f(x):
    logging.getLogger("fsdf.sunk").info("value %d", x)
    done.set()
    raise ValueError("wanted")
f.publish({"x": 7}, task_id="task-1")
f.consume()
assert done.wait(60)
assert f.stop()
"""


def run(**settings: str) -> str:
    environment = {**os.environ, "FSDF_HANDLE_SIGNALS": "0", **settings}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr


def check(told: list[dict[str, str]]) -> None:
    texts = [each["msg"] for each in told]
    assert "task-1 - value 7" in texts
    assert any(text.startswith("task-1 - task ") and "ValueError: wanted" in text for text in texts)
    assert {each["name"] for each in told} == {"fsdf.sunk"}


def test_lines_go_to_kafka(kafka_bootstrap):
    admin = pytest.importorskip("confluent_kafka.admin")
    topic = "pylogfsdfsunk"
    client = admin.AdminClient({"bootstrap.servers": kafka_bootstrap})
    for future in client.create_topics([admin.NewTopic(topic, 1, 1)]).values():
        future.result(60)
    errors = run(FSDF_LOG_KAFKA_SERVERS=kafka_bootstrap)
    from confluent_kafka import Consumer

    consumer = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": "t", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    told = []
    try:
        while not any("stopped consuming" in each["msg"] for each in told):
            message = consumer.poll(30)
            assert message is not None, errors
            assert message.error() is None
            told.append(json.loads(message.value()))
    finally:
        consumer.close()
    check(told)


def test_lines_go_to_elasticsearch_in_its_bulk_format():
    told: list[dict[str, str]] = []

    class Bulk(BaseHTTPRequestHandler):
        """As much of the protocol as the client library asks for."""

        protocol_version = "HTTP/1.1"

        def do_PUT(self):
            lines = [json.loads(line) for line in self.rfile.read(int(self.headers["Content-Length"])).splitlines()]
            for action, source in zip(lines[::2], lines[1::2], strict=True):
                assert action["index"]["_index"] == "pylog-fsdf.sunk"
                told.append(source)
            items = [{"index": {"status": 201}} for _ in lines[::2]]
            body = json.dumps({"errors": False, "items": items}).encode()
            self.send_response(200)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", self.headers["Accept"].partition(",")[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT  # noqa: N815 - as the library names it

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bulk) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, name="fsdf-test-elastic")
        serving.start()
        try:
            run(FSDF_LOG_ELASTIC_URL=f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            serving.join()
    check(told)


def test_a_server_that_is_away_keeps_no_task_from_running():
    errors = run(FSDF_LOG_KAFKA_SERVERS="127.0.0.1:1")
    assert "log lines do not go to Kafka, which cannot be reached (Kafka" in errors

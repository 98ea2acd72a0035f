"""nb_log's handlers that send log lines to Kafka and to Elasticsearch.

They send in the background, twice a second, and drop lines rather than hold up a task.
"""

from __future__ import annotations

import atexit
import copy
import logging
import threading
import time
import warnings
import weakref
from typing import TYPE_CHECKING, Any

from fsdf.nb_log_import import nb_log_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.settings import Settings

_NEEDS = "pip install fsdf[nb-log-remote]"
_FLUSH = 5.0
"""Seconds that the end of the program waits for the last lines."""
_ROUNDS = 2
_KAFKA = {"bootstrap_timeout_ms": 3000, "max_block_ms": 3000}
_logger = logging.getLogger("fsdf.log_sinks")


def sinks(settings: Settings) -> list[Any]:
    """Return the handlers that the settings `log_kafka_servers` and `log_elastic_url` ask for.

    One that cannot reach its server is left out, with a warning: a log server must not keep tasks from running.

    Raises:
        MissingDependency: `pip install fsdf[nb-log-remote]` is missing.
    """
    made = []
    if settings.log_kafka_servers is not None:
        servers = [each.strip() for each in settings.log_kafka_servers.get_secret_value().split(",")]
        made.append(
            _made("Kafka", lambda: _sending(nb_log_module("handlers_more", _NEEDS).KafkaHandler)(servers, **_KAFKA))
        )
    if settings.log_elastic_url is not None:
        url = settings.log_elastic_url.get_secret_value()
        made.append(
            _made("Elasticsearch", lambda: _sending(nb_log_module("handlers_more", _NEEDS).ElasticHandler)([url], None))
        )
    return [handler for handler in made if handler is not None]


def _made(name: str, make: Callable[[], Any]) -> Any:
    nb_log_module("handlers_more", _NEEDS).very_nb_print = _tell
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            handler = make()
    except ModuleNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001 - the client libraries have their own
        _logger.warning("log lines do not go to %s, which cannot be reached (%s)", name, type(error).__name__)
        return None
    # At the end this must come before the client libraries close their connections, some by weakref.finalize, which
    # registers itself at its first use. What is registered last runs first.
    weakref.finalize(handler, int)
    atexit.register(handler.flush)
    return handler


def _tell(*words: object, **_: Any) -> None:
    """Stand in for nb_log's coloured printing to standard output."""
    _logger.debug("%s", " ".join(map(str, words)))


def _sending(base: Any) -> Any:
    class Sending(base):  # type: ignore[misc]
        def emit(self, record: logging.LogRecord) -> None:
            # nb_log's sends the message without its arguments, and no traceback.
            whole = copy.copy(record)
            text = f"{getattr(record, 'task_id', '-')} - {record.getMessage()}"
            if record.exc_info:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            whole.msg, whole.args = text, ()
            super().emit(whole)

        def flush(self) -> None:
            """Wait until what was logged is sent; logging asks for it at the end of the program."""
            if threading.current_thread() is not threading.main_thread():
                return
            deadline, begun = time.monotonic() + _FLUSH, time.time()
            rounds: set[float] = set()
            # The first round of sending may have begun before the last line came.
            while (len(rounds) < _ROUNDS or not self.task_queue.empty()) and time.monotonic() < deadline:
                if self.last_es_op_time > begun:
                    rounds.add(self.last_es_op_time)
                time.sleep(0.02)
            producer = getattr(self, "kafka_producer", None)
            if producer is not None:
                producer.flush(_FLUSH)

    return Sending

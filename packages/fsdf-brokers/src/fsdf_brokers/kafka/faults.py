"""Errors of the client library: what they mean, and fsdf's words for them."""
# ruff: noqa: SLF001 - the library's own error codes are public, though their names begin with an underscore

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from fsdf_core.errors import BrokerError, BrokerUnavailable, ConfigurationError, FsdfError, StorageError

DOWN = KafkaError._ALL_BROKERS_DOWN
STOOD_STILL = KafkaError._MAX_POLL_EXCEEDED

CHANGING = frozenset({KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS})
"""The group is changing: a commit is taken when it has changed."""

NO_TOPIC = frozenset({KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART})

REFUSED = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
_MOVING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NETWORK_EXCEPTION,
    }
)
"""Answers of a cluster whose parts are changing places, also just after a topic was made."""

_AWAY = (
    NO_TOPIC
    | _MOVING
    | CHANGING
    | {
        DOWN,
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._WAIT_COORD,
        KafkaError._WAIT_CACHE,
        KafkaError._STATE,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._PURGE_QUEUE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)
_MEANINGS: tuple[tuple[frozenset[int], type[FsdfError], str], ...] = (
    (REFUSED, ConfigurationError, "refuses: {}. Check user, password and rights: FSDF_KAFKA_BOOTSTRAP_SERVERS"),
    (
        frozenset({KafkaError._INVALID_ARG, KafkaError._CONFLICT, KafkaError._NOT_CONFIGURED}),
        ConfigurationError,
        "cannot be used with these properties: {}",
    ),
    (
        frozenset({KafkaError.TOPIC_EXCEPTION, KafkaError.INVALID_PARTITIONS, KafkaError.INVALID_REPLICATION_FACTOR}),
        ConfigurationError,
        "makes no such topic: {}",
    ),
    (
        frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}),
        BrokerError,
        "takes no message that large, raise its max.message.bytes: {}",
    ),
    (frozenset({KafkaError.KAFKA_STORAGE_ERROR}), StorageError, "cannot write to its disk: {}"),
)


def failure(code: int) -> KafkaException:
    """Return the library's exception for one of its codes."""
    return KafkaException(KafkaError(code))


def timed_out() -> KafkaException:
    """Return the library's exception for an answer that did not come in time."""
    return failure(KafkaError._TIMED_OUT)


def not_accepted() -> KafkaException:
    """Return the library's exception for a message that the server did not accept in time."""
    return failure(KafkaError._MSG_TIMED_OUT)


def translate(error: KafkaError, place: str) -> FsdfError:
    """Return fsdf's error for one of the client library.

    Args:
        error: what happened.
        place: the server's address, without password.
    """
    code, text = error.code(), error.str()
    for codes, kind, words in _MEANINGS:
        if code in codes:
            return kind(f"Kafka at {place} {words.format(text)}")
    if code in _AWAY or error.retriable() or error.fatal():
        return BrokerUnavailable(
            f"Kafka at {place} is not available: {text}. Does it run, is FSDF_KAFKA_BOOTSTRAP_SERVERS right?"
        )
    return BrokerError(f"Kafka at {place}: {text}")

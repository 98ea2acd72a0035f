"""What a Kafka consumer commits tells its successor exactly what is left."""

from hypothesis import given
from hypothesis import strategies as st

from fsdf_brokers.kafka.progress import Position, Progress


def delivered(progress, offsets):
    return [offset for offset in offsets if progress.take(offset)]


@given(st.integers(0, 60), st.data())
def test_a_chain_of_consumers_delivers_each_message_until_it_is_finished(count, data):
    """Consumers die one after the other; gaps are offsets that the log does not have."""
    log = sorted(data.draw(st.sets(st.integers(0, 120), min_size=count, max_size=count)))
    finished = set()
    position = None
    for _ in range(4):
        progress = Progress(position)
        fetched = [offset for offset in log if position is None or offset >= position.offset]
        seen = delivered(progress, fetched[: data.draw(st.integers(0, len(fetched)))])
        assert not finished & set(seen)
        for offset in seen:
            if data.draw(st.booleans()):
                progress.finish(offset)
                finished.add(offset)
        told = progress.position(held=data.draw(st.booleans()))
        if told is not None:
            position = Position.read(told.offset, told.metadata)
            assert position.finished == told.finished
            assert position.end == max(told.end, told.offset)
    last = Progress(position)
    left = delivered(last, [offset for offset in log if position is None or offset >= position.offset])
    assert sorted(left) == sorted(set(log) - finished)


def test_the_offset_is_the_first_unfinished():
    progress = Progress(None)
    delivered(progress, range(10))
    for offset in (0, 1, 5, 6, 9):
        progress.finish(offset)
    position = progress.position()
    assert (position.offset, position.finished, position.held, position.end) == (2, ((5, 7), (9, 10)), 5, 10)
    assert position.metadata == "fsdf1 5 3 2 2 1"
    assert progress.position(held=False).held == 0


def test_nothing_is_committed_before_something_came():
    assert Progress(None).position() is None


def test_too_much_to_tell_is_told_in_part():
    progress = Progress(None)
    delivered(progress, range(20_000))
    for offset in range(1, 20_000, 2):
        progress.finish(offset)
    position = progress.position()
    assert len(position.metadata) <= 4096
    told = Position.read(position.offset, position.metadata)
    assert told.finished == position.finished[: len(told.finished)]
    assert len(told.finished) > 500
    heir = Progress(told)
    assert set(delivered(heir, range(20_000))) >= set(range(0, 20_000, 2))


def test_texts_of_others_are_no_progress():
    for text in (None, "", "hello", "fsdf1", "fsdf1 x", "fsdf2 1 1", "fsdf1 1 -3"):
        assert Position.read(7, text) == Position(7, (), 0, 7)


def test_a_log_that_begins_anew_is_noticed():
    progress = Progress(Position(5, (), 0, 5))
    assert not progress.rewound(5)
    assert progress.rewound(4)
    progress.replaying = True
    assert not progress.rewound(4)
    assert not progress.take(4)
    assert progress.take(5)
    assert progress.rewound(4)

"""A file system that really is full: one clear error, and nothing that was accepted is lost."""

import os
import shutil
import subprocess

import pytest

from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import StorageError
from fsdf_core.registry import brokers
from fsdf_core.settings import Settings

SIZE = 1_000_000


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    if os.name != "posix" or os.geteuid() or shutil.which("mount") is None:
        pytest.skip("only root may mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "fsdf-test", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this root may not mount: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture(params=["SQLITE_QUEUE", "PERSISTQUEUE"])
def broker(request, small_disk):
    broker = brokers.get(request.param).from_settings(Settings(home=small_disk / "home"))
    yield broker
    broker.close()


def body(number):
    return b'{"number":%d,"text":"%s"}' % (number, b"x" * 1000)


def fill(queue):
    """Push until the disk is full; return what was accepted."""
    accepted = []

    def push():
        for number in range(10 * SIZE // 1000):
            queue.send([OutgoingMessage(body(number))])
            accepted.append(body(number))

    with pytest.raises(StorageError, match="FSDF_HOME"):
        push()
    return accepted


def drain(subscription):
    found = []
    while batch := subscription.receive(50, 0.2):
        found += [delivery.body for delivery in batch]
        subscription.ack(batch)
    return found


def test_what_was_accepted_survives_and_is_consumed_when_there_is_room(broker, small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (SIZE // 4))
    queue = broker.queue("q")
    accepted = fill(queue)
    assert len(accepted) > 50
    assert queue.size().ready == len(accepted)
    with pytest.raises(StorageError, match="FSDF_HOME"):
        queue.send([OutgoingMessage(body(0) * 100)])
    ballast.unlink()
    queue.send([OutgoingMessage(b'{"number":-1}')])
    subscription = queue.subscribe("c", 50)
    assert drain(subscription) == [*accepted, b'{"number":-1}']
    assert queue.size().total == 0
    subscription.close()


def test_a_new_process_finds_everything_after_room_was_made(broker, small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (SIZE // 4))
    accepted = fill(broker.queue("q"))
    broker.close()
    ballast.unlink()
    again = type(broker).from_settings(Settings(home=small_disk / "home"))
    subscription = again.queue("q").subscribe("c", 50)
    assert drain(subscription) == accepted
    subscription.close()
    again.close()


def test_a_disk_that_is_full_from_the_start_is_one_clear_error(broker, small_disk):
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(b"\0" * 2 * SIZE)
    with pytest.raises(StorageError, match="FSDF_HOME"):
        broker.queue("q").send([OutgoingMessage(body(0))])

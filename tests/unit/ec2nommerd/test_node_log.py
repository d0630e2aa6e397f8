"""The log of a node reaches the work area, whatever happens to the node or the storage."""

import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from media_nommer.adapters.memory import MemoryStorage
from media_nommer.core.errors import StorageError
from media_nommer.core.ports.storage import (
    PLAIN,
    StopCheck,
    StoredObject,
    Traits,
    never_stop,
)
from media_nommer.ec2nommerd.node_log import LogTail, NodeLog

URL = "memory://w/nodes/n1/ec2nommerd.log"
HOUR = timedelta(hours=1)


class Storage(MemoryStorage):
    """A storage that counts what is put, and fails or loses its answers when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = 0
        self.fails = self.loses_answers = False
        self.put_one = threading.Event()
        self.on_first_put: Callable[[], object] = lambda: None

    @override
    def put(
        self,
        path: Path,
        url: str,
        *,
        before: str | None = None,
        sha256: str | None = None,
        traits: Traits = PLAIN,
        stop: StopCheck = never_stop,
    ) -> StoredObject:
        if self.fails:
            raise StorageError("it does not answer")
        stored = super().put(path, url, before=before, sha256=sha256, traits=traits)
        if not self.puts:
            self.on_first_put()
        self.puts += 1
        self.put_one.set()
        if self.loses_answers:
            raise StorageError("the answer was lost")
        return stored


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture
def tail() -> LogTail:
    return LogTail(StringIO())


def test_what_is_written_goes_on_and_is_remembered() -> None:
    out = StringIO()
    tail = LogTail(out)

    tail.write("one\n")
    tail.write("two\n")

    assert out.getvalue() == tail.text() == "one\ntwo\n"
    assert not tail.isatty()


def test_of_much_the_newest_whole_lines_are_remembered() -> None:
    out = StringIO()
    tail = LogTail(out, most=100)
    lines = [f"line {number}\n" for number in range(1000)]

    for line in lines:
        tail.write(line)

    assert out.getvalue() == "".join(lines)
    assert len(tail.text()) <= 100
    kept = tail.text().splitlines(keepends=True)
    assert kept == lines[-len(kept) :]
    assert len(kept) > 3


def test_a_log_is_put_anew_only_when_it_grew(storage: Storage, tail: LogTail) -> None:
    node_log = NodeLog(storage, URL, tail)

    node_log.keep()
    assert storage.puts == 0
    tail.write("one\n")
    node_log.keep()
    node_log.keep()
    tail.write("two\n")
    node_log.keep()

    assert storage.puts == 2
    assert storage.read(URL) == b"one\ntwo\n"


@pytest.mark.parametrize("trouble", ["fails", "loses_answers"])
def test_a_put_that_failed_or_whose_answer_was_lost_is_made_good_by_the_next(
    storage: Storage, tail: LogTail, trouble: str
) -> None:
    node_log = NodeLog(storage, URL, tail)
    tail.write("one\n")
    node_log.keep()

    setattr(storage, trouble, True)
    tail.write("two\n")
    with capture_logs() as logs:
        node_log.keep()
    setattr(storage, trouble, False)
    tail.write("three\n")
    node_log.keep()

    assert [entry["event"] for entry in logs] == ["node_log_not_kept"]
    assert storage.read(URL) == b"one\ntwo\nthree\n"


def test_the_end_of_the_log_is_kept_at_the_end(storage: Storage, tail: LogTail) -> None:
    with NodeLog(storage, URL, tail, every=HOUR):
        tail.write("bye\n")

    assert storage.read(URL) == b"bye\n"


def test_what_is_said_while_the_last_of_it_is_put_is_kept_too(
    storage: Storage, tail: LogTail
) -> None:
    storage.on_first_put = lambda: tail.write("really bye\n")

    with NodeLog(storage, URL, tail, every=HOUR):
        tail.write("bye\n")

    assert storage.read(URL) == b"bye\nreally bye\n"


def test_what_is_hurried_is_kept_at_once(storage: Storage, tail: LogTail) -> None:
    with NodeLog(storage, URL, tail, every=HOUR) as node_log:
        tail.write("it ends\n")
        node_log.hurry()

        assert storage.put_one.wait(120)


def test_a_storage_that_fails_holds_up_no_end(storage: Storage, tail: LogTail) -> None:
    storage.fails = True
    tail.write("bye\n")

    with capture_logs(), NodeLog(storage, URL, tail, every=HOUR):
        pass

    assert storage.puts == 0

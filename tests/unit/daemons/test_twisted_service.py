"""A daemon as a service: when it begins, how it is ended, what becomes of its status."""

import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.error import ReactorNotRunning
from twisted.logger import LogEvent, globalLogPublisher

from media_nommer.core.errors import InvalidSetting
from media_nommer.daemons.twisted.service import DaemonService

PATIENCE = 120


class FakeReactor:
    """Does in ``turn`` what other threads asked it for; stops its services first."""

    def __init__(self) -> None:
        self.service: DaemonService | None = None
        self.stopped = 0
        self._calls: list[Callable[[], None]] = []
        self._asked = threading.Semaphore(0)

    def callWhenRunning(self, call: Callable[[], None], /) -> None:
        self.callFromThread(call)

    def callFromThread(self, call: Callable[..., None], /, *args: object) -> None:
        self._calls.append(lambda: call(*args))
        self._asked.release()

    def stop(self) -> None:
        self.stopped += 1
        if self.stopped > 1:
            raise ReactorNotRunning
        if self.service:
            self.service.stopService()

    def turn(self) -> None:
        """Do the next call, once there is one."""
        assert self._asked.acquire(timeout=PATIENCE)
        self._calls.pop(0)()


class Daemon:
    """Runs until it is asked to stop so many times, or told to ``end``."""

    def __init__(self, requests: int = 1) -> None:
        self.asked = threading.Semaphore(0)
        self.requests = requests
        self.trouble: Exception | None = None
        self.status = 0

    def run(self) -> int:
        if self.trouble:
            raise self.trouble
        for _ in range(self.requests):
            assert self.asked.acquire(timeout=PATIENCE)
        return self.status

    def ask(self) -> None:
        self.asked.release()


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def lines() -> Iterator[list[LogEvent]]:
    heard: list[LogEvent] = []
    globalLogPublisher.addObserver(heard.append)
    yield heard
    globalLogPublisher.removeObserver(heard.append)


def served(daemon: Daemon) -> tuple[FakeReactor, DaemonService]:
    reactor = FakeReactor()
    service = DaemonService("daemon", daemon.run, daemon.ask, reactor)
    reactor.service = service
    service.startService()
    return reactor, service


def test_a_stopped_service_is_over_when_the_daemon_has_ended() -> None:
    reactor, service = served(Daemon())
    reactor.turn()
    over: list[None] = []

    stopping = service.stopService()
    assert stopping is not None
    stopping.addCallback(over.append)
    assert not over
    reactor.turn()

    assert over == [None]
    assert reactor.stopped == 0  # who stops services stops the reactor, if anybody does


def test_a_daemon_that_ends_by_itself_stops_the_reactor_and_gives_its_status() -> None:
    daemon = Daemon(requests=0)
    daemon.status = 3
    reactor, service = served(daemon)

    reactor.turn()
    reactor.turn()

    assert reactor.stopped == 1
    assert service.status == 3


def test_a_service_that_is_stopped_before_the_reactor_ran_begins_nothing() -> None:
    daemon = Daemon()
    daemon.trouble = AssertionError("it began")
    reactor, service = served(daemon)

    assert service.stopService() is None
    reactor.turn()

    assert service.status == 0
    assert not reactor._calls


def test_the_first_signal_stops_the_reactor_and_the_second_hurries_the_daemon() -> None:
    reactor, service = served(Daemon(requests=2))
    reactor.turn()

    signal.raise_signal(signal.SIGTERM)
    reactor.turn()
    assert reactor.stopped == 1
    assert service._thread.is_alive()
    signal.raise_signal(signal.SIGINT)
    reactor.turn()

    assert reactor.stopped == 1
    assert service.status == 0


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (InvalidSetting("the port is taken", advice="Take another."), "the port is taken"),
        (ValueError("a mistake"), "it broke"),
    ],
)
def test_what_ends_a_daemon_is_logged_once_and_ends_the_reactor_with_1(
    trouble: Exception, said: str, lines: list[LogEvent]
) -> None:
    daemon = Daemon()
    daemon.trouble = trouble
    reactor, service = served(daemon)

    reactor.turn()
    reactor.turn()

    assert (service.status, reactor.stopped) == (1, 1)
    mine = [line for line in lines if line["log_namespace"] == "daemon"]
    assert [said in line["log_format"].format(**line) for line in mine] == [True]

"""Our lines in Twisted's log, and what is kept of it."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from media_nommer.conf import load_settings
from media_nommer.daemons.twisted.logs import log_to_twisted, tail_of_twisted


@implementer(ILogObserver)
class Heard:
    """All that Twisted logs."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)


@pytest.fixture
def heard() -> Iterator[list[LogEvent]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    observer = Heard()
    globalLogPublisher.addObserver(observer)
    yield observer.events
    globalLogPublisher.removeObserver(observer)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_lines_become_events_of_their_level_and_braces_mean_nothing(
    heard: list[LogEvent],
) -> None:
    log_to_twisted("feederd", load_settings(environ={"NOMMER_CONFIG": ""}))

    structlog.get_logger("x").warning("a {strange} line", size=1)

    (event,) = heard
    assert event["log_namespace"] == "feederd"
    assert event["log_level"] is LogLevel.warn
    assert event["log_format"].format(**event) == "a {strange} line size=1"


def test_a_tail_has_the_lines_as_twisted_writes_them(heard: list[LogEvent]) -> None:
    log_to_twisted("ec2nommerd", load_settings(environ={"NOMMER_CONFIG": ""}))
    before = list(globalLogPublisher._observers)
    tail = tail_of_twisted()

    structlog.get_logger("x").info("node_joined")

    for observer in set(globalLogPublisher._observers) - set(before):
        globalLogPublisher.removeObserver(observer)
    tail._out.close()
    assert len(heard) == 1
    assert tail.text().endswith(" [ec2nommerd#info] node_joined\n")

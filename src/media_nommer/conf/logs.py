"""How logs are written: an event name and fields, for eyes on a terminal, else as JSON."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from functools import partial
from io import StringIO
from typing import Any, TextIO

import structlog
from typing_extensions import override

from media_nommer.conf.values import redacted

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

#: Gets the level of a line, "debug" to "critical", and its text.
Taker = Callable[[str, str], None]


def set_up_logs(level: str, style: str = "auto", *, stream: TextIO | None = None) -> None:
    """Send every log of this process, also those of libraries, to ``stream`` in one style.

    ``style`` is "console", "json", or "auto" for the first on a terminal and the second
    elsewhere; ``stream`` is standard error unless given.
    """
    out = sys.stderr if stream is None else stream
    console = style == "console" or (style == "auto" and out.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = _for_eyes(colors=out.isatty()) if console else _as_json()
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _set_up_libraries(logging.StreamHandler(out), shared, last)


def hand_over_logs(level: str, style: str, take: Taker) -> None:
    """Give every log line of this process, also those of libraries, to another log.

    The lines have neither time nor level: that log has its own. They are JSON where
    ``style`` is "json", else for eyes. ``take`` is called from any thread.
    """
    shared: list[structlog.typing.Processor] = [structlog.contextvars.merge_contextvars]
    last = _as_json() if style == "json" else _for_eyes(width=0)
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Handed(take),
        cache_logger_on_first_use=False,
    )
    _set_up_libraries(_HandingHandler(take), shared, last)


class _Handed:
    """What structlog logs to: a method for each level, which gives the line on."""

    def __init__(self, take: Taker) -> None:
        self._take = take

    def __getattr__(self, level: str) -> Callable[[str], None]:
        return partial(self._take, level)


class _HandingHandler(logging.Handler):
    """The same for the logs of libraries, whose levels may be any numbers."""

    def __init__(self, take: Taker) -> None:
        super().__init__()
        self._take = take

    @override
    def emit(self, record: logging.LogRecord) -> None:
        reached = [name for name, number in _LEVELS.items() if record.levelno >= number]
        try:
            self._take(reached[-1] if reached else "debug", self.format(record))
        except Exception:
            self.handleError(record)


def _for_eyes(*, colors: bool = False, width: int = 30) -> list[structlog.typing.Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        pad_event_to=width,
        colors=colors,
        exception_formatter=_plain_traceback,
    )
    return [_without_secrets, renderer]


def _as_json() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.format_exc_info,
        _without_secrets,
        structlog.processors.JSONRenderer(),
    ]


def _set_up_libraries(
    handler: logging.Handler,
    shared: list[structlog.typing.Processor],
    last: list[structlog.typing.Processor],
) -> None:
    """Bring the logs of libraries, from warnings on, into the same style."""
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _plain_traceback(out: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a traceback as it is, but for the passwords in URLs (rule 12)."""
    written = StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    out.write(redacted(written.getvalue()))


def _without_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take the passwords out of every URL in a log line (rule 12)."""
    for name, value in event.items():
        if isinstance(value, str) and "://" in value:
            event[name] = redacted(value)
    return event

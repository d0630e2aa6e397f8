"""How logs are written: an event name and fields, for eyes on a terminal, else as JSON."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from media_nommer.conf.values import redacted

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


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
    last: list[structlog.typing.Processor] = [_without_secrets]
    if console:
        colors = out.isatty()
        last.append(
            structlog.dev.ConsoleRenderer(
                colors=colors, exception_formatter=structlog.dev.plain_traceback
            )
        )
    else:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _set_up_libraries(out, shared, last)


def _set_up_libraries(
    out: TextIO,
    shared: list[structlog.typing.Processor],
    last: list[structlog.typing.Processor],
) -> None:
    """Bring the logs of libraries, from warnings on, into the same style."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _without_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Take the passwords out of every URL in a log line (rule 12)."""
    for name, value in event.items():
        if isinstance(value, str) and "://" in value:
            event[name] = redacted(value)
    return event

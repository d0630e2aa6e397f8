"""Our logs as part of Twisted's, for `--logfile`, `--syslog` and `--logger`."""

import os
from functools import partial
from pathlib import Path

from twisted.logger import Logger, LogLevel, globalLogPublisher, textFileLogObserver

from media_nommer.conf.logs import hand_over_logs
from media_nommer.conf.settings import Settings
from media_nommer.ec2nommerd.node_log import LogTail

_LEVELS = {
    "debug": LogLevel.debug,
    "info": LogLevel.info,
    "warning": LogLevel.warn,
    "error": LogLevel.error,
    "critical": LogLevel.critical,
}


def log_to_twisted(name: str, settings: Settings) -> None:
    """Have Twisted write every log line of this process, from one called ``name``."""
    take = partial(_write, Logger(name))
    hand_over_logs(settings.log_level, settings.log_format, take)


def tail_of_twisted() -> LogTail:
    """Return what remembers all that Twisted logs from now on, wherever that goes."""
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
    tail = LogTail(nowhere)
    observer = textFileLogObserver(tail)
    globalLogPublisher.addObserver(observer)  # type: ignore[arg-type]
    return tail


def _write(log: Logger, level: str, text: str) -> None:
    log.emit(_LEVELS[level], "{text}", text=text)


__all__ = ["log_to_twisted", "tail_of_twisted"]

"""What can be said on twistd's command line, and the settings that come of it."""

from pathlib import Path

from twisted.python import usage

from media_nommer.conf import load_settings
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import NommerError

#: A name, a short name, a default and what it is, as Twisted has it.
Option = tuple[str, None, None, str]

#: Options that are no settings.
_NO_SETTINGS = {"config", "kept", "node-id"}


def option(name: str, words: str) -> Option:
    """Return an option without a short name; it is None unless it is given."""
    return name, None, None, words


class MainSettings(usage.Options):
    """The options of both daemons; Twisted adds those of the classes below."""

    optParameters: tuple[Option, ...] = (
        option(
            "config",
            "Settings file. Default: nommer.toml in the current folder, if it is there.",
        ),
        option(
            "data-dir",
            "Folder for the database, the work area and the logs. "
            "Default: ~/.local/share/media-nommer.",
        ),
        option(
            "store",
            "Where records are kept: sqlite:////PATH, postgresql://…, dynamodb://TABLE or "
            "simpledb://DOMAIN. Default: SQLite in the data directory.",
        ),
        option(
            "queue",
            "Where tasks wait for workers: sqlite:////PATH, postgresql://… or sqs://NAME. "
            "Default: where the store is; beside one on AWS, SQS.",
        ),
        option(
            "work",
            "Folder that feederd and all workers share: file://… or s3://BUCKET/PREFIX. "
            "Default: `work` in the data directory.",
        ),
        option("log-level", "Least grave events that are logged. Default: info."),
    )
    longdesc = (
        "Every setting can stand in nommer.toml and in NOMMER_* as well; "
        "`nommer config` shows them all."
    )


class FeederdOptions(MainSettings):
    """The main settings of feederd."""

    optParameters: tuple[Option, ...] = (
        option("host", "Address to listen on. Default: 127.0.0.1, this machine alone."),
        option("port", "Port to listen on. Default: 8001."),
        option(
            "fleet",
            "Where feederd starts workers: local (on this machine), ec2, or none: you "
            "start them yourself. Default: local.",
        ),
        option("max-nodes", "Most workers that run at once. Default: 1."),
        option(
            "min-nodes", "Workers that run also when there is nothing to do. Default: 0."
        ),
    )


class Ec2nommerdOptions(MainSettings):
    """The main settings of ec2nommerd, and what kind of node it is."""

    optFlags = (("kept", None, "Never leave for idleness. Default: off."),)
    optParameters: tuple[Option, ...] = (
        option(
            "node-id",
            "The id of the launch intent of who starts it. Default: one of its own.",
        ),
        option(
            "slots",
            "Tasks that this worker does at once. Default: one for every four cores, and "
            "at least one.",
        ),
        option(
            "idle-timeout",
            "How long to stay without work, such as 90s or 5m. Default: 60s, and 30s on "
            "EC2.",
        ),
        option(
            "scratch-dir",
            "Folder of this machine for what is being encoded. Default: `scratch` in the "
            "data directory.",
        ),
        option(
            "ffmpeg",
            "FFmpeg to use, by path or name. Default: the one that comes with "
            "media-nommer.",
        ),
    )


def settings_of(program: str, options: usage.Options) -> Settings:
    """Return the settings in force; where they are unusable, say so and end the process."""
    said = {
        name.replace("-", "_"): value
        for name, value in options.items()
        if name not in _NO_SETTINGS
    }
    config = options["config"]
    try:
        return load_settings(said, config=None if config is None else Path(config))
    except NommerError as error:
        raise SystemExit(f"{program}: {error.message}\n{error.advice}") from None


__all__ = ["Ec2nommerdOptions", "FeederdOptions", "MainSettings", "settings_of"]

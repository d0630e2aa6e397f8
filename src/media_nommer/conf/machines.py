"""The settings of machines on AWS, made from those that are in force here.

What nobody has said here is not said there either: its default is the same there.
"""

import json
from collections.abc import Mapping

from media_nommer.conf.settings import Settings
from media_nommer.conf.values import redacted, written
from media_nommer.core.errors import InvalidSetting

#: What a worker goes by, wherever it runs.
_OF_WORKERS = (
    *("lease", "max_attempts", "max_lost", "backoff", "put_again_after", "max_nodes"),
    *("slots", "idle_timeout", "drain_timeout", "stall_timeout", "encoder_timeout"),
    *("encoder_memory", "ffmpeg", "s3_endpoint", "s3_roles", "private_networks"),
    *("max_source_size", "file_roots", "log_level", "sealing_key"),
)
#: What is of the machine here, and of no other.
_OF_HERE = frozenset(
    {
        *("data_dir", "scratch_dir", "ffmpeg", "fleet", "machine", "host", "port"),
        *("file_roots", "log_format"),
    }
)


def worker_settings(
    settings: Settings, places: Mapping[str, str], state: str
) -> dict[str, object]:
    """Return the settings of a worker on EC2; it keeps what it has in ``state``.

    What is private to the network it is in, and the files of its machine, are no sources
    unless somebody says so.
    """
    said = _shared(settings)
    careful = {"private_networks": False, "file_roots": (), "log_format": "json"}
    carried = {name: said[name] for name in _OF_WORKERS if name in said}
    own = {"fleet": "none", "machine": "ec2", "data_dir": state}
    return {**places, **own, **careful, **carried}


def feederd_settings(
    settings: Settings, places: Mapping[str, str], state: str, host: str
) -> dict[str, object]:
    """Return the settings of a feederd on EC2, which listens on ``host``."""
    careful = {"file_roots": (), "private_networks": False, "log_format": "json"}
    own = {"fleet": "ec2", "host": host, "data_dir": state}
    return {**careful, **_elsewhere(settings), **places, **own}


def operator_settings(settings: Settings, places: Mapping[str, str]) -> dict[str, object]:
    """Return the settings of a feederd here whose machines are on EC2."""
    return {**_said(settings), **places, "fleet": "ec2"}


def settings_text(values: Mapping[str, object]) -> str:
    """Return settings as TOML.

    Raises:
        InvalidSetting: there is a password in one, which would be read by others.
    """
    for name, value in values.items():
        if redacted(written(value)) != written(value):
            raise InvalidSetting(
                f"there is a password in {name}, and a machine's settings can be read",
                advice="Leave it out: machines have a role instead.",
            )
    return "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())


def _said(settings: Settings) -> dict[str, object]:
    return {name: value for name, value in settings if name in settings.sources}


def _shared(settings: Settings) -> dict[str, object]:
    """Return what was said, but for a sealing key that is in a file here."""
    said = _said(settings)
    if str(said.get("sealing_key")).startswith("file:"):
        del said["sealing_key"]
    return said


def _elsewhere(settings: Settings) -> dict[str, object]:
    shared = _shared(settings)
    return {name: value for name, value in shared.items() if name not in _OF_HERE}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple) and all(isinstance(part, str) for part in value):
        return json.dumps(list(value), ensure_ascii=False)
    return json.dumps(written(value), ensure_ascii=False)

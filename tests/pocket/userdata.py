"""User data, as cloud-init reads it: a script, a cloud-config, or several of these.

What cloud-init would do and is not done here is refused, so that nobody relies on it.
"""

import base64
import gzip
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any

import yaml

_SCRIPTS = "/var/lib/cloud/instance/scripts"
_HEADER = b"Content-Type: multipart"
#: What has nothing to do on a machine that lives for minutes.
_NOT_NEEDED = frozenset({"hostname", "package_update", "package_upgrade", "ssh_pwauth"})


class BadUserData(Exception):
    """It cannot be run here, and perhaps nowhere."""


@dataclass(frozen=True)
class Steps:
    """What a machine writes, each with its mode, and the scripts that it then runs."""

    files: tuple[tuple[str, str, int], ...] = ()
    scripts: tuple[str, ...] = ()

    def __add__(self, other: "Steps") -> "Steps":
        return Steps(self.files + other.files, self.scripts + other.scripts)


def read(data: bytes) -> Steps:
    """Return what user data wants done.

    Raises:
        BadUserData: it is of no known kind, or wants what is not done here.
    """
    steps = Steps()
    for number, part in enumerate(_parts(data)):
        steps += _read_part(part, number)
    return steps


def _parts(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    if not data.strip():
        return
    if not data.startswith((_HEADER, b"MIME-Version")):
        yield data
        return
    for part in message_from_bytes(data).walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes), "a part that is no multipart has bytes"
            yield content


def _read_part(part: bytes, number: int) -> Steps:
    text = part.decode()
    if text.startswith("#!"):
        path = f"{_SCRIPTS}/part-{number:03}"
        return Steps(((path, text, 0o700),), (path,))
    if text.startswith("#cloud-config"):
        return _read_config(yaml.safe_load(text) or {}, number)
    raise BadUserData(f"user data of an unknown kind: {text[:40]!r}")


def _read_config(said: Mapping[str, Any], number: int) -> Steps:
    unknown = set(said) - {"write_files", "bootcmd", "runcmd"} - _NOT_NEEDED
    if unknown:
        raise BadUserData(f"not done here: {', '.join(sorted(unknown))}")
    files = tuple(_read_file(each) for each in said.get("write_files") or ())
    steps = Steps(files)
    for name in ("bootcmd", "runcmd"):
        commands = said.get(name) or []
        if commands:
            path = f"{_SCRIPTS}/{name}-{number:03}"
            lines = ["#!/bin/sh", *map(_line, commands)]
            steps += Steps(((path, "\n".join(lines) + "\n", 0o700),), (path,))
    return steps


def _line(command: object) -> str:
    if isinstance(command, list):
        return shlex.join(str(word) for word in command)
    return str(command)


def _read_file(said: Mapping[str, Any]) -> tuple[str, str, int]:
    known = {"path", "content", "permissions", "encoding", "owner", "defer"}
    if set(said) - known or said.get("owner", "root:root") != "root:root":
        raise BadUserData(f"{said.get('path')}: not written like this here")
    content = str(said.get("content", ""))
    match said.get("encoding", "text/plain"):
        case "b64" | "base64":
            content = base64.b64decode(content).decode()
        case "gz+b64" | "gzip+base64" | "gz+base64" | "gzip+b64":
            content = gzip.decompress(base64.b64decode(content)).decode()
        case "text/plain":
            pass
        case other:
            raise BadUserData(f"{said.get('path')}: encoding {other} is not known here")
    return str(said["path"]), content, int(str(said.get("permissions", "0644")), 8)

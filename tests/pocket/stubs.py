"""The programs that a machine has in place of those which would manage the host."""

import sys
from pathlib import Path

from tests.pocket.init import DOOR

#: What each of these is asked, PID 1 of the machine is told.
_MANAGING = ("systemctl", "shutdown", "poweroff", "halt", "reboot")
_FOLDERS = ("/usr/bin", "/usr/sbin", "/bin", "/sbin")


def scripts() -> list[tuple[str, str, int]]:
    """Return the path, the text and the mode of each."""
    asking = f"""\
#!{Path(sys.executable).resolve()} -IS
import json, socket, sys
asking = socket.socket(socket.AF_UNIX)
asking.connect({DOOR!r})
asking.sendall(json.dumps(sys.argv).encode() + b"\\n")
status, text = json.loads(asking.makefile("rb").readline() or b'[1, "off"]')
sys.stdout.write(text)
sys.exit(status)
"""
    return [
        (f"{folder}/{name}", asking, 0o755) for folder in _FOLDERS for name in _MANAGING
    ]


def python() -> list[tuple[str, str, int]]:
    """Return a Python of our own version, where the host has none at /usr/bin."""
    name = "python{}.{}".format(*sys.version_info)
    if Path("/usr/bin", name).exists():
        return []
    text = f'#!/bin/sh\nexec {Path(sys.executable).resolve()} "$@"\n'
    return [(f"/usr/local/bin/{each}", text, 0o755) for each in (name, "python3")]

"""Which sockets of a network namespace take what comes from outside."""

import contextlib
import socket
from collections.abc import Sequence
from pathlib import Path

_LISTEN, _UNCONNECTED = "0A", "07"


def listening(processes: Sequence[int]) -> set[tuple[str, int]]:
    """Return the addresses at which there is an open port in the network of processes.

    That is any TCP socket that listens, and any UDP socket that is not connected to one
    peer. Of IPv6 the address is as the kernel writes it.
    """
    assert processes, "there is a machine to look at"
    for pid in processes:
        with contextlib.suppress(OSError):  # it has just ended
            return {
                address
                for name, state in (
                    ("tcp", _LISTEN),
                    ("tcp6", _LISTEN),
                    ("udp", _UNCONNECTED),
                    ("udp6", _UNCONNECTED),
                )
                for address in _open(Path(f"/proc/{pid}/net/{name}"), state)
            }
    raise AssertionError("the machine has ended")


def _open(table: Path, state: str) -> list[tuple[str, int]]:
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return [_read(row[1]) for row in rows if row[3] == state]


def _read(said: str) -> tuple[str, int]:
    """Return what ``0100007F:1F90`` means."""
    host, _, port = said.partition(":")
    if len(host) == 8:
        host = socket.inet_ntoa(bytes.fromhex(host)[::-1])
    return host, int(port, 16)

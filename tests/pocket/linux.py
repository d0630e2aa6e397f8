"""Namespaces and the loopback interface, by Linux's own calls."""

import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR = 0x8913, 0x8914, 0x8916
_IFF_UP = 1
_FLAGS, _ADDRESS = "16sH22x", "16s16s8x"


def unshare(flags: int) -> None:
    """Leave namespaces for new ones.

    Raises:
        OSError: this process may not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no namespaces can be had: {os.strerror(number)}")


def loopback(*, up: bool) -> None:
    """Bring the loopback interface of this network up, or down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        answer = fcntl.ioctl(asking, _SIOCGIFFLAGS, struct.pack(_FLAGS, b"lo", 0))
        flags = struct.unpack(_FLAGS, answer)[1]
        flags = flags | _IFF_UP if up else flags & ~_IFF_UP
        fcntl.ioctl(asking, _SIOCSIFFLAGS, struct.pack(_FLAGS, b"lo", flags))


def listen(addresses: list[tuple[str, int]], own: str = "") -> list[socket.socket]:
    """Listen on each of ``addresses``.

    The loopback interface is given them, and the machine's ``own``.
    """
    loopback(up=True)
    hosts = {*(host for host, _ in addresses), *([own] if own else [])}
    others = sorted(host for host in hosts if not host.startswith("127."))
    for number, host in enumerate(others):
        _add_address(f"lo:{number}", host)
    return [socket.create_server(address, backlog=128) for address in addresses]


def dial(address: tuple[str, int], timeout: float = 5.0) -> socket.socket:
    """Return a connection to an address of this network.

    Raises:
        OSError: nobody answers there.
    """
    made = socket.create_connection(address, timeout)
    made.settimeout(None)
    return made


def _add_address(label: str, address: str) -> None:
    place = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SIOCSIFADDR, struct.pack(_ADDRESS, label.encode(), place))

"""Ports for servers of others that must be told theirs."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """Give a port on loopback at which nobody listens but who is told of it.

    It is bound all the while, and so the kernel gives it to nobody who wants any port, for
    a connection of his own either. Who shares it says so, as servers do.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])

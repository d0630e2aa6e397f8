"""Ways from this host into the network of a machine, for who looks on from outside."""

import socket
from collections.abc import Callable
from typing import Self

from tests.pocket.lines import Line


class Way:
    """A port of this host that leads to who is dialed, until closed."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._line = Line(self._listener, dial)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self._line.close()
        self._listener.close()

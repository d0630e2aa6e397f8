"""A line to PostgreSQL that is slow at times, and cut at moments that a seed chooses.

It knows nothing of what passes. Each connection has a number; how long it lives, in pieces
that clients send and in seconds, and how it ends are hashes of the seed and that number.
"""

import select
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.seeded import draw

_PIECE = 64 * 1024
#: How a socket of PostgreSQL is called in its folder.
_NAME = ".s.PGSQL.5432"
_MOST = 100_000
_PARTINGS = 0.6


class End(StrEnum):
    """Where a connection ends, seen from a statement."""

    #: The server does not hear of it.
    BEFORE = "before"
    #: The server hears half of it.
    WITHIN = "within"
    #: The server does it, and nobody hears that it did.
    AFTER = "after"
    #: While nobody says anything.
    IDLE = "idle"
    #: The whole line is gone, for a while.
    PARTED = "parted"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a connection."""

    end: End
    pieces: int
    seconds: float


@dataclass(frozen=True)
class Cuts:
    """The cuts of one seed: connections live for about so many pieces, or seconds."""

    seed: int
    pieces: int = 150
    #: The line that is gone for a while, and after and for how many seconds.
    lines: tuple[str, ...] = ()
    seconds: float = 12.0
    #: How many of a hundred pieces are held up.
    slow: float = 3.0

    def fate(self, connection: int) -> Fate:
        which = draw(self.seed, "end", connection)
        life = 3 + 2 * self.pieces * draw(self.seed, "pieces", connection) ** 2 * 1.5
        ends = (End.BEFORE, End.WITHIN, End.AFTER, End.AFTER)
        seconds = 1 + 2 * self.seconds * draw(self.seed, "seconds", connection)
        return Fate(ends[int(which * len(ends))], int(life), seconds)

    def parting(self, line: str) -> tuple[float, float]:
        """Return how long after the beginning a line is gone, from and to."""
        gone = self.lines[int(draw(self.seed, "line") * len(self.lines))]
        if gone != line or draw(self.seed, "parts") > _PARTINGS:
            return 0.0, 0.0
        after = 1.0 + 6 * draw(self.seed, "after")
        return after, after + 6.0 + 7 * draw(self.seed, "lasts")

    def delay(self, connection: int, piece: int) -> float:
        if 100 * draw(self.seed, "slow", connection, piece) >= self.slow:
            return 0.0
        return 0.02 + 0.4 * draw(self.seed, "delay", connection, piece)


class Line:
    """Listens in ``folder`` as PostgreSQL does in ``server``, and passes on what comes."""

    def __init__(
        self, folder: Path, server: Path, name: str, cuts: Cuts | None = None
    ) -> None:
        self.folder = folder
        self.name = name
        self._began = time.monotonic()
        self.cuts = cuts
        self.harmed: Counter[str] = Counter()
        self._server = str(server / _NAME)
        self._number = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _NAME))
        self._listener.listen(128)
        self._thread = threading.Thread(target=self._listen, name="line", daemon=True)
        self._thread.start()

    def begin(self, cuts: Cuts | None) -> None:
        """Number connections from nothing again, under other cuts; those there stay."""
        with self._lock:
            self.cuts, self._number, self._began = cuts, 0, time.monotonic()
            self.harmed.clear()

    def close(self) -> None:
        """Listen no more, and end every connection."""
        self._closing.set()
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _listen(self) -> None:
        while not self._closing.is_set():
            if select.select([self._listener], [], [], 0.05)[0]:
                client, _ = self._listener.accept()
                with self._lock:
                    self._number += 1
                    number, cuts = self._number, self.cuts
                threading.Thread(
                    target=self._carry, args=(client, number, cuts), daemon=True
                ).start()

    def _carry(self, client: socket.socket, number: int, cuts: Cuts | None) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._server)
            self._pass(client, server, number, cuts)
        except OSError:
            pass  # one of the two has left: so does the other
        finally:
            client.close()
            server.close()

    def _pass(
        self, client: socket.socket, server: socket.socket, number: int, cuts: Cuts | None
    ) -> None:
        fate = cuts.fate(number) if cuts else Fate(End.IDLE, _MOST, float("inf"))
        over, sent = time.monotonic() + fate.seconds, 0
        while not self._closing.is_set():
            if cuts is not None and self.cuts is not cuts:  # faults are over
                cuts, fate, over = None, Fate(End.IDLE, _MOST, 0.0), float("inf")
            ready = select.select([client, server], [], [], 0.1)[0]
            if self._gone(cuts):
                self._count(End.PARTED)
                return
            if not ready and time.monotonic() > over:
                self._count(End.IDLE)
                return
            for source in ready:
                piece = source.recv(_PIECE)
                if not piece:
                    return
                if source is server:
                    client.sendall(piece)
                    continue
                sent += 1
                if cuts is not None and (pause := cuts.delay(number, sent)):
                    self._closing.wait(pause)
                if cuts is not None and sent >= fate.pieces:
                    self._cut(fate.end, piece, server)
                    return
                server.sendall(piece)

    def _gone(self, cuts: Cuts | None) -> bool:
        if cuts is None or not cuts.lines:
            return False
        first, last = cuts.parting(self.name)
        return first <= time.monotonic() - self._began < last

    def _cut(self, end: End, piece: bytes, server: socket.socket) -> None:
        self._count(end)
        if end is End.WITHIN:
            server.sendall(piece[: len(piece) // 2])
        elif end is End.AFTER:
            server.sendall(piece)

    def _count(self, end: End) -> None:
        with self._lock:
            self.harmed[f"cut {end}"] += 1

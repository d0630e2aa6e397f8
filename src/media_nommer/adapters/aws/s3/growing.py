"""Putting a file that is still written to: its parts go ahead, and are held against it.

Nothing is known here of how encoders write. What was sent stays if the whole file has the
same bytes in the same order; they may all have moved, as they do where an index is put in
front of them in the end. So the first bytes, and what was written anew, go last.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from typing_extensions import Buffer, override

from media_nommer.adapters.aws.s3 import sums
from media_nommer.adapters.aws.s3.calls import ConditionFailed, NoUpload, S3Calls
from media_nommer.adapters.aws.s3.put import put_file, send_part
from media_nommer.adapters.aws.s3.transfer import Transfer
from media_nommer.adapters.aws.s3.upload import Goal, Part, Upload, version_of
from media_nommer.core.disk import disk_errors
from media_nommer.core.errors import StorageError, StorageRefused
from media_nommer.core.ports.storage import BegunPut, StopCheck, StoredObject, never_stop

log = structlog.get_logger(__name__)

#: What waits at the beginning of a file: the least that S3 takes for a part, 5 MiB.
HEAD = 5 << 20
#: What goes ahead in one part at first: 8 MiB.
AHEAD = 8 << 20
#: What is never sent ahead at the end: muxers still write there.
WET = 1 << 20
#: By how much all bytes may have moved in the end, and by how many of them that is seen.
MOVED = 64 << 20
_SIGN = 64 << 10
#: So often does a length serve until parts are made longer; S3 takes 10,000 of them.
_ALIKE = 500
_MOST_PARTS = 10_000
_MOST_AHEAD = 9_000
_MOST_PLACES = 8


@dataclass(frozen=True, slots=True)
class _Sent:
    """A part that went ahead: where in the file it was, and how it arrived."""

    start: int
    part: Part

    @property
    def end(self) -> int:
        return self.start + self.part.length


class S3BegunPut(BegunPut):
    """Sends parts ahead, one at a time; a file that stays small is put in the end.

    What is sent ahead does not wait for an S3 that is away; the last steps do, as long as
    ``patience``.
    """

    def __init__(
        self,
        calls: S3Calls,
        path: Path,
        goal: Goal,
        *,
        stop: StopCheck,
        patience: timedelta,
    ) -> None:
        self._calls = calls
        self._path = path
        self._goal = goal
        self._stop = stop
        self._patience = patience
        self._upload_id: str | None = None
        self._sent: list[_Sent] = []
        self._sign = b""

    @override
    def send_ahead(self) -> bool:
        number = len(self._sent) + 2  # the first part waits
        start = self._sent[-1].end if self._sent else HEAD
        length = AHEAD * (1 + number // _ALIKE)
        if self._calls.wants_alike or number > _MOST_AHEAD:
            return False
        if self._written() < start + length + WET:
            return False
        transfer = Transfer(self._stop, timedelta())
        transfer.look()
        with disk_errors(self._path), self._path.open("rb") as file:
            if self._upload_id is None:
                self._sign = os.pread(file.fileno(), min(_SIGN, length), start)
                self._upload_id = self._upload(transfer).begin({})
            body = _Read(file.fileno(), start, length)
            sent = send_part(self._calls, self._goal, self._upload_id, number, body)
        self._sent.append(_Sent(start, replace(sent, crc=body.crc)))
        return True

    @override
    def finish(
        self,
        *,
        before: str | None = None,
        sha256: str | None = None,
        stop: StopCheck | None = None,
    ) -> StoredObject:
        self._goal = replace(self._goal, before=before)
        transfer = Transfer(stop or self._stop, self._patience)
        with disk_errors(self._path):
            if self._sent:
                try:
                    return self._complete(transfer)
                except (ConditionFailed, NoUpload, StorageRefused, _Gone) as error:
                    # others ended it, or this server wants parts to be alike
                    self._calls.wants_alike |= isinstance(error, StorageRefused)
                    said = {"url": self._goal.place.url, "message": error.message}
                    log.warning("sent_ahead_in_vain", **said)
            self.drop()
            return put_file(self._calls, self._path, self._goal, transfer, sha256)

    @override
    def drop(self) -> None:
        upload_id, self._upload_id, self._sent = self._upload_id, None, []
        if upload_id is not None:
            self._upload(Transfer(never_stop, timedelta())).abort(upload_id)

    def _written(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _upload(self, transfer: Transfer) -> Upload:
        return Upload(self._calls, self._goal, transfer)

    def _complete(self, transfer: Transfer) -> StoredObject:
        """Send what is missing, and make one object of all parts."""
        upload_id, upload = self._upload_id, self._upload(transfer)
        assert upload_id is not None, "a part was sent"
        transfer.look()
        with self._path.open("rb") as file:
            handle, size = file.fileno(), os.fstat(file.fileno()).st_size
            moved = self._moved(handle, size)
            send = partial(send_part, self._calls, self._goal, upload_id)
            parts = transfer.all_of(
                partial(_kept_or_sent, known, sums.Slice(handle, start, length), send, n)
                for n, start, length, known in self._plan(size, moved)
            )

        def step() -> str:
            transfer.look()
            return upload.complete(upload_id, size, parts, None)

        etag = upload.surely(step)
        self._upload_id = None
        return StoredObject(size=size, version=version_of(etag))

    def _moved(self, handle: int, size: int) -> int:
        """Return by how much all that went ahead has moved.

        Raises:
            _Gone: it does not stand in the file.
        """
        first = self._sent[0]
        for place in _places(handle, self._sign, first.start, MOVED):
            body = sums.Slice(handle, place, first.part.length)
            fits = place + first.part.length <= size
            if fits and sums.crc_of(body) == first.part.crc:
                return place - first.start
        raise _Gone(f"{self._path.name} was written anew from its beginning")

    def _plan(self, size: int, moved: int) -> Iterator[tuple[int, int, int, Part | None]]:
        """Yield the number, place and length of each part, and how it went ahead.

        Those at the end may have gone while all was being moved, and be too many by now.
        """
        yield 1, 0, self._sent[0].start + moved, None
        number, at = 2, self._sent[0].start + moved
        for sent in self._sent:
            if sent.end + moved <= size:
                yield sent.part.number, at, sent.part.length, sent.part
                number, at = sent.part.number + 1, sent.end + moved
        length = max(AHEAD, -(-(size - at) // (_MOST_PARTS - number)))
        while at < size:
            yield number, at, min(length, size - at), None
            number, at = number + 1, at + length


class _Gone(StorageError):
    """Nothing of what went ahead is of use."""


class _Read(sums.Slice):
    """A slice that tells the CRC-32 of what was read of it since it last began."""

    crc = 0

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        at = super().seek(offset, whence)
        if at == 0:
            self.crc = 0
        return at

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        count = super().readinto(buffer)
        self.crc = zlib.crc32(memoryview(buffer).cast("B")[:count], self.crc)
        return count


def _kept_or_sent(
    known: Part | None,
    body: sums.Slice,
    send: Callable[[int, sums.Slice], Part],
    number: int,
) -> Part:
    """Return a part as it went ahead if its bytes are still the same, else send it."""
    if known is not None and sums.crc_of(body) == known.crc:
        return known
    body.seek(0)
    return send(number, body)


def _places(handle: int, sign: bytes, start: int, most: int) -> Iterator[int]:
    """Yield the first places, from ``start`` on, at which ``sign`` stands in a file."""
    found = 0
    for at in range(start, start + most, sums.PIECE):
        window = os.pread(handle, sums.PIECE + len(sign) - 1, at)
        place = window.find(sign)
        while place >= 0 and found < _MOST_PLACES:
            yield at + place
            found += 1
            place = window.find(sign, place + 1)
        if found >= _MOST_PLACES or len(window) < sums.PIECE:
            return

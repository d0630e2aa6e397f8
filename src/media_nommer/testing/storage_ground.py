"""What the suites of storages are given, and what they put there."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from media_nommer.core.errors import HandedBack
from media_nommer.core.ports.storage import StopCheck, Storage

Url = Callable[[str], str]
Plant = Callable[[str, bytes], str]
_numbers = itertools.count()

#: Names that have broken somebody's storage before.
ODD_NAMES = (
    "two words.mp4",
    "naïve „ü“ 日本.mp4",
    'it\'s "quoted".mp4',
    "frame%03d.png",
    "100%.mp4",
    "already%20encoded.mp4",
    "a#b.mp4",
    "a?b=c&d.mp4",
    "-n.mp4",
    ".hidden.mp4",
    "semi;colon:and,comma.mp4",
    "a+b=c@d$e!(f)[g]{h}~*.mp4",
    "back\\slash.mp4",
)

#: Large enough to come in pieces, and no two places in it look alike.
A_FILM = b"".join(n.to_bytes(4, "big") for n in range(900_000))


def is_the_film(data: bytes) -> bool:
    """Return whether bytes are A_FILM's: to explain how so many differ takes minutes."""
    return data == A_FILM


def a_file(folder: Path, data: bytes) -> Path:
    """Return a new file that holds ``data``."""
    path = folder / f"source-{next(_numbers)}"
    path.write_bytes(data)
    return path


def stop_after(looks: int) -> StopCheck:
    """Return what lets work go on at so many looks, and stops it from then on."""
    left = itertools.count(looks, -1)
    return lambda: HandedBack("leaving") if next(left) <= 0 else None


def planting(storage: Storage, url: Url, folder: Path) -> Plant:
    """Return a ``plant`` for a storage that writes; ``folder`` is for its sources."""

    def plant(name: str, data: bytes) -> str:
        target = url(name)
        standing = storage.stat(target)
        before = None if standing is None else standing.version
        storage.put(a_file(folder, data), target, before=before)
        return target

    return plant


class StorageGround:
    """What every part of the contract is given."""

    @pytest.fixture
    def storage(self) -> Storage:
        """Return an empty storage."""
        raise NotImplementedError("give the suite a storage")

    @pytest.fixture
    def url(self) -> Url:
        """Return what makes URLs of plain names."""
        raise NotImplementedError("give the suite a url")

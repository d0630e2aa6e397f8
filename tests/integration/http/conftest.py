"""A server, and a storage that waits for nobody but remembers how long it would have."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.http_server import Site, serving

from media_nommer.adapters.http import HttpStorage, Patience
from media_nommer.testing.clock import ManualClock

#: Short where nobody answers on purpose, far longer than an answer takes on loopback.
SILENCE = timedelta(seconds=0.3)

MakeStorage = Callable[..., HttpStorage]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def waits() -> list[float]:
    """How long each wait between tries would have been, in pieces of a second."""
    return []


@pytest.fixture
def make_storage(waits: list[float]) -> MakeStorage:
    def make(*, silence: timedelta = timedelta(seconds=20), **words: object) -> HttpStorage:
        words.setdefault("private_networks", True)
        return HttpStorage(
            **words,  # type: ignore[arg-type]
            patience=Patience(tries=3, silence=silence),
            clock=ManualClock(),
            sleep=waits.append,
            dice=lambda: 1.0,
        )

    return make


@pytest.fixture
def storage(make_storage: MakeStorage) -> HttpStorage:
    return make_storage()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file is fetched to; the folder around it is empty."""
    (tmp_path / "fetched").mkdir()
    return tmp_path / "fetched" / "film"

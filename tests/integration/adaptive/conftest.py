"""One probe, one flashing film, and what was made of it, for all tests here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.adaptive_films import Streamed, av_probe, film, stream

from media_nommer.core.ports.probe import Probe


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    with av_probe(tmp_path_factory.mktemp("scratch")) as probe:
        yield probe


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "film.mp4", rate="30000/1001", seconds=5)


@pytest.fixture(scope="session")
def ranges(
    probe: Probe, source: Path, tmp_path_factory: pytest.TempPathFactory
) -> Streamed:
    """The film in one file a rendition."""
    return stream(probe, source, tmp_path_factory.mktemp("ranges"))


@pytest.fixture(scope="session")
def files(probe: Probe, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Streamed:
    """The film in one file a segment."""
    return stream(probe, source, tmp_path_factory.mktemp("files"), segments="files")

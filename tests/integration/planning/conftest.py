"""One probe and one folder of odd clips for all tests here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from planning_clips import CLIPS, av_probe, ffmpeg

from media_nommer.core.ports.probe import Probe


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    with av_probe(tmp_path_factory.mktemp("scratch")) as probe:
        yield probe


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make every odd clip once; each takes a few hundredths of a second."""
    folder = tmp_path_factory.mktemp("clips")
    for name, argv in CLIPS.items():
        ffmpeg(folder, *argv, name)
    return folder

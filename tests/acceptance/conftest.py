"""Films to encode, and a site for each test."""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from tests.acceptance.amazon import amazon
from tests.acceptance.ground import Amazon, Buckets
from tests.acceptance.site import MORTAL, SLOW_QUALITY, Site, site

_numbers = itertools.count(1)

#: What the site's FFmpeg is at work on for as long as it is held.
SLOW: dict[str, Any] = {
    "kind": "file",
    "name": "slow.mp4",
    "video": {"codec": "h264", "quality": SLOW_QUALITY, "speed": "ultrafast"},
}
SLOW_FRAMES = 150

QUICK: dict[str, Any] = {
    "kind": "file",
    "video": {"codec": "h264", "height": 90, "speed": "ultrafast"},
}

#: Enough files to be stopped between, and which of them is held back.
SOME: dict[str, Any] = {
    "kind": "thumbnails",
    "name": "{number:04d}.jpg",
    "count": 24,
    "height": 36,
}
NAMES = [f"{number:04d}.jpg" for number in range(1, 25)]
HELD = 9

#: The stores and queues that a cluster has, beside S3, in the words of the settings.
ENGINES = ("simpledb", "dynamodb", "postgresql")

#: A lease of a few seconds, for services that answer over a network.
IN_A_CLUSTER = {"lease": "6s", "put_again_after": "60s"}


def _film(path: Path, picture: str, *sound: str) -> Path:
    inputs = ["-f", "lavfi", "-i", picture]
    if sound:
        inputs += ["-f", "lavfi", "-i", *sound]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg = [str(find_ffmpeg()), "-v", "error", "-nostdin"]
    subprocess.run([*ffmpeg, *inputs, *coded, str(path)], check=True)
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of film with sound."""
    return _film(
        tmp_path_factory.mktemp("films") / "film.mp4",
        "testsrc2=size=640x360:rate=25:duration=6",
        "sine=frequency=440:duration=6",
    )


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of very small film, for many thumbnails."""
    return _film(
        tmp_path_factory.mktemp("films") / "long.mp4",
        "testsrc2=size=64x36:rate=10:duration=60",
    )


@pytest.fixture(scope="session")
def short_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of film without sound, of few frames."""
    return _film(
        tmp_path_factory.mktemp("films") / "short.mp4",
        "testsrc2=size=640x360:rate=5:duration=6",
    )


@pytest.fixture(scope="session")
def cloud() -> Iterator[Amazon]:
    """Amazon's services, for this session alone."""
    with amazon() as services:
        yield services


@pytest.fixture
def records(request: pytest.FixtureRequest) -> Callable[[str, str], dict[str, str]]:
    """Says in settings where the records of a kind are, under a name of their own."""

    def of(kind: str, name: str) -> dict[str, str]:
        if kind == "postgresql":
            new_url: Callable[[], str] = request.getfixturevalue("postgres_url")
            return {"NOMMER_STORE": new_url()}
        return {"NOMMER_STORE": f"{kind}://{name}"}

    return of


@pytest.fixture(params=ENGINES)
def ground(
    request: pytest.FixtureRequest,
    cloud: Amazon,
    records: Callable[[str, str], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Buckets:
    """Buckets, and a store and queue of each kind in turn."""
    name = f"nommer-{os.getpid()}-{next(_numbers)}"
    for variable, value in cloud.environment.items():
        monkeypatch.setenv(variable, value)  # for what the test itself looks at
    return Buckets(cloud, name, records(request.param, name))


@pytest.fixture
def cluster(tmp_path: Path, ground: Buckets) -> Iterator[Site]:
    """A site whose records and files are where other machines could be, too."""
    with site(tmp_path, ground, **IN_A_CLUSTER) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A site without a fleet: feederd starts no workers."""
    with site(tmp_path) as made:
        yield made


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Site]:
    """The same, where a death is noticed while one waits."""
    with site(tmp_path, **MORTAL) as made:
        yield made


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each kind of death happen on one engine in turn; a soak has them on every one.

    And let a busy machine take its time: each test starts many programs.
    """
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(900))
    if os.environ.get("NOMMER_SOAK"):
        return
    turns: dict[str, int] = {}
    left_out = []
    for item in items:
        call = getattr(item, "callspec", None)
        if call is None or "ground" not in call.params:
            continue
        name = getattr(item, "originalname", item.name)
        turn = turns.setdefault(name, len(turns))
        if call.params["ground"] != ENGINES[turn % len(ENGINES)]:
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]

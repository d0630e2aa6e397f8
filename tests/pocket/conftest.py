"""A pocket for each test, where this host can have machines."""

import fcntl
import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_nommer.adapters.ffmpeg.binary import find_ffmpeg
from tests.faults.clips import make_clips
from tests.pocket import standin
from tests.pocket.films import PLACE, Films, bake, films
from tests.pocket.pocket import Pocket, pocket, services

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> None:
    """That this host lets us have machines; CI's must."""
    why = standin.why_none(tmp_path_factory.mktemp("probe"))
    if why and os.environ.get("CI") == "true":
        pytest.fail(f"there are no stand-in machines: {why}")
    if why:
        pytest.skip(f"there are no stand-in machines (they take root): {why}")


@pytest.fixture(scope="session")
def amazon(machines: None) -> Iterator[tuple[str, str]]:
    """The services that all pockets stand on."""
    with services() as urls:
        yield urls


@pytest.fixture
def cloud(amazon: tuple[str, str]) -> Iterator[Pocket]:
    """A pocket of this test's own."""
    with pocket(*amazon) as made:
        yield made


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all workers of this session."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def bundles(request: pytest.FixtureRequest) -> Path:
    """Where wheels stay that were gathered once, also between sessions."""
    return request.config.cache.mkdir("pocket-bundles")


@pytest.fixture(scope="session")
def image(
    amazon: tuple[str, str],
    shared: Path,
    bundles: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What an image with the bundle has in PLACE: installed once, for real."""
    made = shared / "pocket-image"
    with (shared / "pocket-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder = tmp_path_factory.mktemp("baking")
            with (
                pocket(*amazon) as cloud,
                films(folder / "site", cloud, "films-baked", "dynamodb", bundles) as place,
            ):
                place.up()
                bake(place, folder / "image")
            (folder / "image").rename(made)
    return made


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of film."""
    return make_clips(tmp_path_factory.mktemp("clips"))[1]


@pytest.fixture
def installed(
    request: pytest.FixtureRequest,
    cloud: Pocket,
    image: Path,
    bundles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Films]:
    """An installation that is up, and whose machines have an image with the bundle."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)  # for what the test itself looks at
    cloud.baked = {PLACE: image}
    kind = getattr(request, "param", "dynamodb")
    name = f"films-{os.getpid()}-{next(_numbers)}"
    with films(tmp_path / "site", cloud, name, kind, bundles) as place:
        place.up()
        yield place
        print(place.said())  # noqa: T201 - it is shown where the test failed


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds of film, which takes x264 many more to encode slowly."""
    return _film(tmp_path_factory.mktemp("films") / "film.mp4", 4)


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So much that it is not encoded slowly before something happens to the machine."""
    return _film(tmp_path_factory.mktemp("films") / "long.mp4", 15)


def _film(path: Path, seconds: int) -> Path:
    picture = f"testsrc2=size=640x360:rate=25:duration={seconds}"
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg = [str(find_ffmpeg()), "-v", "error", "-nostdin", "-f", "lavfi"]
    subprocess.run([*ffmpeg, "-i", picture, *coded, str(path)], check=True)
    return path
